//! What the service is measured against: the same answers with the least that a server can do for them.
//!
//! axum on tokio-postgres or rusqlite, prepared SQL written by hand, as many connections as the service has, each for one
//! request at a time, and the check of the token. It knows one schema, one
//! list and one change, and none of the rest: no shape, no tags, no limits, no problems.
#![expect(clippy::unwrap_used, reason = "it is measured and not used")]
#![expect(clippy::disallowed_methods, reason = "it has no settings but these variables")]

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ring::hmac;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

#[derive(Serialize)]
struct Task {
    id: i32,
    user_id: String,
    title: String,
    description: Option<String>,
    completed: bool,
    priority: String,
    due_date: Option<String>,
    remind_at: Option<String>,
    recurrence_pattern: Option<String>,
    is_recurring: bool,
    tags: Vec<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Serialize)]
struct Page {
    data: Vec<Task>,
    next_cursor: Option<String>,
    has_more: bool,
}

#[derive(Deserialize)]
struct Body {
    title: String,
    description: Option<String>,
    priority: Option<String>,
    due_date: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
}

struct Postgres {
    idle: Mutex<Vec<Line>>,
    free: Semaphore,
}

struct Line {
    client: Client,
    statements: [Statement; 5],
}

enum Store {
    Postgres(Postgres),
    Sqlite(Mutex<Vec<Connection>>, [String; 5]),
}

struct Floor {
    store: Store,
    key: hmac::Key,
}

type App = State<Arc<Floor>>;

/// What the service has, too.
const CONNECTIONS: usize = 20;
const LIST: usize = 0;
const GET: usize = 1;
const CREATE: usize = 2;
const CHANGE: usize = 3;
const COMPLETE: usize = 4;

fn statements(is_postgres: bool) -> [String; 5] {
    let names = match is_postgres {
        true => "coalesce(json_agg(g.name), '[]')::text",
        false => "json_group_array(g.name)",
    };
    let columns = format!(
        "tasks.id, title, description, completed, priority, due_date, remind_at, recurrence_rule, created_at, updated_at, \
         (SELECT {names} FROM task_tags l JOIN tags g ON g.id = l.tag_id WHERE l.task_id = tasks.id)"
    );
    let nulls = match is_postgres {
        true => "",
        false => "due_date IS NULL, ",
    };
    [
        format!(
            "SELECT {columns} FROM tasks WHERE user_id = $1 AND completed = $2 \
             ORDER BY (CASE priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END) DESC, {nulls}due_date, id LIMIT 51"
        ),
        format!("SELECT {columns} FROM tasks WHERE id = $1 AND user_id = $2"),
        format!(
            "INSERT INTO tasks (user_id, title, description, priority, due_date, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING {columns}"
        ),
        format!(
            "UPDATE tasks SET title = $1, updated_at = $2 WHERE id = $3 AND user_id = $4 RETURNING {columns}"
        ),
        format!(
            "UPDATE tasks SET completed = true, updated_at = CASE WHEN completed THEN updated_at ELSE $1 END \
             WHERE id = $2 AND user_id = $3 RETURNING {columns}"
        ),
    ]
}

#[tokio::main]
async fn main() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let url = variable("DATABASE_URL");
    let store = match url.strip_prefix("sqlite://") {
        Some(file) => Store::Sqlite(
            Mutex::new((0..4).map(|_| open(file)).collect()),
            statements(false),
        ),
        None => {
            let mut idle = Vec::new();
            for _ in 0..CONNECTIONS {
                idle.push(connect(&url).await);
            }
            Store::Postgres(Postgres {
                idle: Mutex::new(idle),
                free: Semaphore::new(CONNECTIONS),
            })
        }
    };
    let floor = Floor {
        store,
        key: hmac::Key::new(hmac::HMAC_SHA256, variable("BETTER_AUTH_SECRET").as_bytes()),
    };
    let router = Router::new()
        .route("/livez", get(async || "ok"))
        .route("/api/v1/tasks", get(list).post(create))
        .route("/api/v1/tasks/{id}", get(one).patch(change))
        .route("/api/v1/tasks/{id}/complete", put(complete))
        .with_state(Arc::new(floor));
    let address = format!("127.0.0.1:{}", variable("PORT"));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

async fn connect(url: &str) -> Line {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let [a, b, c, d, e] = statements(true);
    let statements = [
        client.prepare(&a).await.unwrap(),
        client.prepare(&b).await.unwrap(),
        client.prepare(&c).await.unwrap(),
        client.prepare(&d).await.unwrap(),
        client.prepare(&e).await.unwrap(),
    ];
    Line { client, statements }
}

fn open(file: &str) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = normal; PRAGMA foreign_keys = on; PRAGMA busy_timeout = 3000")
        .unwrap();
    connection
}

impl Floor {
    fn user(&self, headers: &HeaderMap) -> Result<String, StatusCode> {
        let header = headers.get("authorization").ok_or(StatusCode::UNAUTHORIZED)?;
        let claims = header.to_str().ok().and_then(|header| self.claims(header));
        claims.map(|claims| claims.sub).ok_or(StatusCode::UNAUTHORIZED)
    }

    fn claims(&self, header: &str) -> Option<Claims> {
        let (signed, signature) = header.strip_prefix("Bearer ")?.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
        let payload = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Claims = serde_json::from_slice(&payload).ok()?;
        (claims.exp > Utc::now().timestamp()).then_some(claims)
    }

    async fn postgres(&self, which: usize, user: &str, values: &[&(dyn ToSql + Sync)]) -> Option<Vec<Task>> {
        let Store::Postgres(store) = &self.store else {
            return None;
        };
        let _turn = store.free.acquire().await.unwrap();
        let line = store.idle.lock().unwrap().pop().unwrap();
        let rows = line.client.query(&line.statements[which], values).await.unwrap();
        store.idle.lock().unwrap().push(line);
        let tasks = rows.iter().map(|row| Task {
            id: row.get(0),
            user_id: user.to_owned(),
            title: row.get(1),
            description: row.get(2),
            completed: row.get(3),
            priority: row.get(4),
            due_date: shown(row.get(5)),
            remind_at: shown(row.get(6)),
            is_recurring: row.get::<_, Option<&str>>(7).is_some(),
            recurrence_pattern: row.get(7),
            created_at: shown(row.get(8)),
            updated_at: shown(row.get(9)),
            tags: serde_json::from_str(row.get(10)).unwrap(),
        });
        Some(tasks.collect())
    }

    async fn sqlite(
        self: Arc<Self>,
        which: usize,
        user: String,
        values: Vec<rusqlite::types::Value>,
    ) -> Vec<Task> {
        let work = move || {
            let Store::Sqlite(pool, statements) = &self.store else {
                return Vec::new();
            };
            let connection = loop {
                if let Some(connection) = pool.lock().unwrap().pop() {
                    break connection;
                }
                std::thread::yield_now();
            };
            let tasks = {
                let mut statement = connection.prepare_cached(&statements[which]).unwrap();
                let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
                    Ok(Task {
                        id: row.get(0)?,
                        user_id: user.clone(),
                        title: row.get(1)?,
                        description: row.get(2)?,
                        completed: row.get(3)?,
                        priority: row.get(4)?,
                        due_date: shown(row.get(5)?),
                        remind_at: shown(row.get(6)?),
                        is_recurring: row.get::<_, Option<String>>(7)?.is_some(),
                        recurrence_pattern: row.get(7)?,
                        created_at: shown(row.get(8)?),
                        updated_at: shown(row.get(9)?),
                        tags: serde_json::from_str(&row.get::<_, String>(10)?).unwrap(),
                    })
                });
                rows.unwrap().map(Result::unwrap).collect()
            };
            pool.lock().unwrap().push(connection);
            tasks
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }
}

fn shown(moment: Option<DateTime<Utc>>) -> Option<String> {
    moment.map(|moment| moment.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn first(tasks: Vec<Task>) -> Result<Json<Task>, StatusCode> {
    tasks.into_iter().next().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn list(State(floor): App, headers: HeaderMap) -> Result<Json<Page>, StatusCode> {
    let user = floor.user(&headers)?;
    let mut data = match floor.postgres(LIST, &user, &[&user, &false]).await {
        Some(tasks) => tasks,
        None => {
            floor
                .sqlite(LIST, user.clone(), vec![user.into(), 0.into()])
                .await
        }
    };
    let has_more = data.len() > 50;
    data.truncate(50);
    let next_cursor = data.last().filter(|_| has_more).map(|task| task.id.to_string());
    Ok(Json(Page {
        data,
        next_cursor,
        has_more,
    }))
}

async fn one(State(floor): App, Path(id): Path<i32>, headers: HeaderMap) -> Result<Json<Task>, StatusCode> {
    let user = floor.user(&headers)?;
    first(match floor.postgres(GET, &user, &[&id, &user]).await {
        Some(tasks) => tasks,
        None => {
            floor
                .sqlite(GET, user.clone(), vec![id.into(), user.into()])
                .await
        }
    })
}

async fn create(
    State(floor): App,
    headers: HeaderMap,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Json<Task>), StatusCode> {
    let user = floor.user(&headers)?;
    let now = Utc::now();
    let priority = body.priority.unwrap_or_else(|| "medium".to_owned());
    let due = body.due_date.map(|text| text.parse::<DateTime<Utc>>().unwrap());
    let values: [&(dyn ToSql + Sync); 6] = [&user, &body.title, &body.description, &priority, &due, &now];
    let tasks = match floor.postgres(CREATE, &user, &values).await {
        Some(tasks) => tasks,
        None => {
            let stored = |moment: DateTime<Utc>| moment.format("%Y-%m-%d %H:%M:%S").to_string();
            let values = vec![
                user.clone().into(),
                body.title.into(),
                body.description.into(),
                priority.into(),
                due.map(stored).into(),
                stored(now).into(),
            ];
            floor.sqlite(CREATE, user, values).await
        }
    };
    first(tasks).map(|task| (StatusCode::CREATED, task))
}

async fn change(
    State(floor): App,
    Path(id): Path<i32>,
    headers: HeaderMap,
    Json(body): Json<Body>,
) -> Result<Json<Task>, StatusCode> {
    let user = floor.user(&headers)?;
    let now = Utc::now();
    first(
        match floor
            .postgres(CHANGE, &user, &[&body.title, &now, &id, &user])
            .await
        {
            Some(tasks) => tasks,
            None => {
                let now = now.format("%Y-%m-%d %H:%M:%S").to_string();
                let values = vec![body.title.into(), now.into(), id.into(), user.clone().into()];
                floor.sqlite(CHANGE, user, values).await
            }
        },
    )
}

async fn complete(
    State(floor): App,
    Path(id): Path<i32>,
    headers: HeaderMap,
) -> Result<Json<Task>, StatusCode> {
    let user = floor.user(&headers)?;
    let now = Utc::now();
    first(match floor.postgres(COMPLETE, &user, &[&now, &id, &user]).await {
        Some(tasks) => tasks,
        None => {
            let now = now.format("%Y-%m-%d %H:%M:%S").to_string();
            floor
                .sqlite(COMPLETE, user.clone(), vec![now.into(), id.into(), user.into()])
                .await
        }
    })
}
