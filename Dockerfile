# Both programs in one image: `api` serves, `migration` moves the schema. docker-compose.yml shows how they go together.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package api --package migration --bins

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin todo
COPY --from=build /src/target/release/api /src/target/release/migration /usr/local/bin/
# For asking an issuer of tokens for its keys over TLS.
COPY --from=build /etc/ssl/certs /etc/ssl/certs
USER todo
# Inside a container the loopback address is nobody's but its own.
ENV HOST=0.0.0.0 PORT=8080 ENVIRONMENT=production
EXPOSE 8080
CMD ["api"]
