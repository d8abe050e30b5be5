//! A pooler in transaction mode, as small as can be: all clients share one connection to the server, statement by statement.

use std::sync::Arc;

use seaworthy::command;
use seaworthy::revision::Stage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use crate::databases::{Sql, environment, postgres, postgres_server, tables, upgrade};

/// The one connection to the server, and what the server greeted with.
#[derive(Default)]
struct Shared {
    server: Option<(TcpStream, Vec<u8>)>,
}

/// Reads a message of the protocol: its type, and all its bytes.
async fn message(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut bytes = head.to_vec();
    bytes.resize(length + 1, 0);
    stream.read_exact(&mut bytes[5..]).await?;
    Ok((head[0], bytes))
}

/// Reads what the server answers, until it is ready for the next query.
async fn answer(server: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let (kind, bytes) = message(server).await?;
        all.extend(bytes);
        if kind == b'Z' {
            return Ok(all);
        }
    }
}

/// Reads the first message of a client, which has no type; asked for TLS, says no.
async fn startup(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    loop {
        let mut bytes = vec![0; 4];
        client.read_exact(&mut bytes).await?;
        let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        bytes.resize(length, 0);
        client.read_exact(&mut bytes[4..]).await?;
        if bytes[4..8] != 80_877_103_u32.to_be_bytes() {
            return Ok(bytes);
        }
        client.write_all(b"N").await?;
    }
}

async fn serve(mut client: TcpStream, address: String, shared: Arc<Mutex<Shared>>) -> std::io::Result<()> {
    let hello = startup(&mut client).await?;
    {
        let mut shared = shared.lock().await;
        if shared.server.is_none() {
            let mut server = TcpStream::connect(address).await?;
            server.write_all(&hello).await?;
            let greeting = answer(&mut server).await?;
            shared.server = Some((server, greeting));
        }
        if let Some((_, greeting)) = &shared.server {
            client.write_all(greeting).await?;
        }
    }
    let mut asked = Vec::new();
    loop {
        let (kind, bytes) = message(&mut client).await?;
        if kind == b'X' {
            return Ok(());
        }
        asked.extend(bytes);
        if kind == b'Q' || kind == b'S' {
            let mut shared = shared.lock().await;
            let Some((server, _)) = &mut shared.server else {
                return Ok(());
            };
            server.write_all(&asked).await?;
            client.write_all(&answer(server).await?).await?;
            asked.clear();
        }
    }
}

#[tokio::test]
async fn a_pooler_that_shares_connections_is_found_and_refused() {
    let Some(database) = postgres().await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // The address of a database is shown without its password; that of the server has it.
    let own_address = database.url().to_string();
    let (_, name) = own_address.rsplit_once('/').unwrap();
    let server = postgres_server().unwrap();
    let (before, rest) = server.rsplit_once('@').unwrap();
    let (server, _) = rest.split_once('/').unwrap_or((rest, ""));
    let direct = format!("{before}@{server}/{name}");
    let pooled = format!("{before}@{address}/{name}");
    let server = server.to_owned();
    let pooler = tokio::spawn(async move {
        let shared = Arc::new(Mutex::new(Shared::default()));
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, server.clone(), Arc::clone(&shared)));
        }
    });

    let mut environment = environment(&database, &[Sql::table("start", None)]);
    environment.database = Some(pooled.parse().unwrap());
    // Two connections that prepare something at the same moment take it from each other, as through any such pooler, and it
    // may not come to the question whether they are one.
    let mut error = upgrade(&environment, "head").await.unwrap_err();
    for _ in 0..5 {
        if error.kind() == "pooled" {
            break;
        }
        error = upgrade(&environment, "head").await.unwrap_err();
    }
    assert_eq!(error.kind(), "pooled", "{error:#?}");
    assert!(error.hint().unwrap().contains("session mode"));
    let plan = command::plan(&environment, &"head".parse().unwrap(), Stage::Contract)
        .await
        .unwrap();
    assert!(plan.survey.unwrap().is_pooled);
    assert!(tables(&database).await.is_empty());
    pooler.abort();

    environment.database = Some(direct.parse().unwrap());
    let plan = command::plan(&environment, &"head".parse().unwrap(), Stage::Contract)
        .await
        .unwrap();
    assert!(!plan.survey.unwrap().is_pooled);
    upgrade(&environment, "head").await.unwrap();
    database.remove().await.unwrap();
}
