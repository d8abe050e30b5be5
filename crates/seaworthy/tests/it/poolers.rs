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

/// Lets the first client say who it is, and returns what the server says afterwards.
async fn greet(client: &mut TcpStream, server: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut greeting = Vec::new();
    loop {
        let (kind, bytes) = message(server).await?;
        client.write_all(&bytes).await?;
        // Authentication: 0 is its end, 12 the server's last word; after everything else it is the client's turn.
        match (kind, bytes.get(8)) {
            (b'R', Some(0)) => greeting = bytes,
            (b'R', Some(12)) => {}
            (b'R', _) => server.write_all(&message(client).await?.1).await?,
            _ => greeting.extend(bytes),
        }
        if kind == b'Z' {
            return Ok(greeting);
        }
    }
}

async fn serve(mut client: TcpStream, address: String, shared: Arc<Mutex<Shared>>) -> std::io::Result<()> {
    let hello = startup(&mut client).await?;
    {
        let mut shared = shared.lock().await;
        match &shared.server {
            Some((_, greeting)) => client.write_all(greeting).await?,
            None => {
                let mut server = TcpStream::connect(address).await?;
                server.write_all(&hello).await?;
                let greeting = greet(&mut client, &mut server).await?;
                shared.server = Some((server, greeting));
            }
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
    let error = upgrade(&environment, "head").await.unwrap_err();
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
