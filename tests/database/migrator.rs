//! The migrator: whatever it finds and wherever it is killed, the next one leads
//! to the same schema.

use ops::migrate::{self, MigrateError, Schema};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::TcpStream,
};
use tokio_postgres::{Client, NoTls};

use crate::{migrations::shape, support::World, toy};

async fn apply(world: &World, schema: &Schema) -> Result<migrate::Applied, MigrateError> {
    let mut owner = world.owner().await;
    schema.apply(&mut owner, &mut |_| {}).await
}

#[tokio::test]
async fn migrations_apply_once_and_twice_changes_nothing() {
    let world = World::empty().await;
    let mut owner = world.owner().await;
    let schema = Schema::embedded();
    let before = schema.status(&owner).await.unwrap();
    assert_eq!(
        (before.applied.len(), before.pending.len()),
        (0, schema.tables.len())
    );
    assert!(before.set_differs && before.set.is_none());
    let mut heard = Vec::new();
    let applied = schema
        .apply(&mut owner, &mut |step| heard.push(step.to_string()))
        .await
        .unwrap();
    assert!(applied.exchanged);
    assert_eq!(applied.tables.len(), schema.tables.len());
    assert_eq!(heard[..applied.tables.len()], applied.tables);
    assert_eq!(heard.last().unwrap(), "the functions of release 0.1.0");
    let again = schema.apply(&mut owner, &mut |_| {}).await.unwrap();
    assert_eq!(again, migrate::Applied::default());
    assert!(schema.status(&owner).await.unwrap().is_current());
}

#[tokio::test]
async fn from_every_table_file_on_the_shape_is_that_of_a_fresh_install() {
    let schema = Schema::embedded();
    let fresh = shape(&World::migrated().await).await;
    for count in 0..schema.tables.len() {
        let world = World::empty().await;
        let mut before = schema.clone();
        before.tables.truncate(count);
        for part in [
            &mut before.set.types,
            &mut before.set.functions,
            &mut before.set.triggers,
            &mut before.set.seeds,
            &mut before.set.grants,
        ] {
            part.clear();
        }
        apply(&world, &before).await.unwrap();
        apply(&world, &schema).await.unwrap();
        assert_eq!(shape(&world).await, fresh, "from {count} table files on");
    }
}

#[tokio::test]
async fn a_table_file_that_was_changed_stops_everything() {
    let world = World::empty().await;
    let schema = toy::schema("a");
    apply(&world, &schema).await.unwrap();
    let mut changed = toy::schema("b");
    changed.tables[0].sql.push_str("-- Changed.\n");
    let error = apply(&world, &changed).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Changed(file) if file == "tables/0001_notes.sql"),
        "{error}"
    );
    assert_eq!(world.value("ops.word()").await, "a");
}

#[tokio::test]
async fn an_older_build_puts_its_functions_back_unless_a_table_file_needs_newer_ones() {
    let world = World::empty().await;
    let older = toy::schema("a");
    let mut newer = toy::schema("b");
    newer.release = "0.2.0".to_owned();
    newer.tables.push(toy::tables(
        "0002",
        "more",
        "alter table ops.notes add column more text;",
    ));
    let mut newest = newer.clone();
    newest.release = "0.3.0".to_owned();
    newest.tables.push(toy::tables(
        "0003",
        "less",
        "-- needs: 0.2.0\nalter table ops.notes drop column more;",
    ));
    let in_force = async || {
        let status = older_status(&world, &newest).await;
        status.set.unwrap().release
    };

    apply(&world, &older).await.unwrap();
    apply(&world, &newer).await.unwrap();
    assert_eq!(
        (in_force().await, world.value("ops.word()").await),
        ("0.2.0".into(), json!("b"))
    );
    let back = apply(&world, &older).await.unwrap();
    assert_eq!(
        back,
        migrate::Applied {
            tables: vec![],
            exchanged: true
        }
    );
    assert_eq!(
        (in_force().await, world.value("ops.word()").await),
        ("0.1.0".into(), json!("a"))
    );
    let status = older.status(&world.owner().await).await.unwrap();
    assert_eq!((status.applied.len(), status.is_current()), (2, true));

    apply(&world, &newest).await.unwrap();
    apply(&world, &newer).await.expect("0.2.0 bears the tables");
    let error = apply(&world, &older).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "tables/0003_less.sql was applied, and release 0.2.0 is the oldest whose functions bear it; this build is 0.1.0: use a newer one"
    );
}

#[tokio::test]
async fn calls_wait_where_a_left_out_release_makes_tables_outgrow_the_functions() {
    let world = World::empty().await;
    apply(&world, &toy::schema("a")).await.unwrap();
    let mut newest = toy::schema("b");
    newest.release = "0.3.0".to_owned();
    newest.tables.push(toy::tables(
        "0002",
        "less",
        "-- needs: 0.2.0\ncreate table ops.less (id integer);",
    ));
    let call = world.owner().await;
    call.batch_execute("begin; select ops.hold_functions()")
        .await
        .unwrap();
    let error = apply(&world, &newest).await.unwrap_err();
    assert!(matches!(error, MigrateError::InUse { .. }), "{error}");
    let made = "to_regclass('ops.less')";
    assert_eq!(world.value(made).await, serde_json::Value::Null);
    call.batch_execute("commit").await.unwrap();
    apply(&world, &newest).await.unwrap();
    assert_eq!(world.call("ops_say", json!({"p_id": 1})).await[0], "b");
}

async fn older_status(world: &World, schema: &Schema) -> migrate::Status {
    schema.status(&world.owner().await).await.unwrap()
}

#[tokio::test]
async fn a_ledger_of_before_the_first_release_is_refused_in_a_sentence() {
    let world = World::empty().await;
    let owner = world.owner().await;
    owner
        .batch_execute(
            "create schema ops;
             create table ops.migrations (version text primary key, name text, sha256 text, applied_at timestamptz default now());
             insert into ops.migrations values ('20261124000100', 'app_monitoring_tables', 'x')",
        )
        .await
        .unwrap();
    for outcome in [
        apply(&world, &Schema::embedded()).await.map(drop),
        migrate::status(&owner).await.map(drop),
    ] {
        assert!(
            matches!(outcome, Err(MigrateError::OldLayout)),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn what_was_changed_by_hand_is_named_and_planned_for() {
    let world = World::empty().await;
    let schema = toy::schema("a");
    apply(&world, &schema).await.unwrap();
    let status = schema.status(&world.owner().await).await.unwrap();
    assert!(status.hand_edits.is_empty(), "{status:?}");
    world
        .execute(
            "create or replace function ops.word() returns text language sql immutable set search_path = '' as 'select ''c''';
             create function ops.word(p_a integer) returns text language sql as 'select ''c''';
             create function public.ops_mine() returns text language sql as 'select ''c''';
             drop function ops.inlined_word();
             alter function public.ops_say(integer) security definer;
             set role postgres; reset role;
             alter function ops.word(integer) owner to postgres;
             alter function public.ops_mine() owner to postgres;
             alter function ops.word() owner to postgres;",
        )
        .await;
    let status = schema.status(&world.owner().await).await.unwrap();
    assert!(status.is_current());
    let edits = &status.hand_edits;
    assert_eq!(
        edits.changed,
        ["ops.word()", "public.ops_say(p_id integer)"]
    );
    assert_eq!(edits.added, ["ops.word(p_a integer)", "public.ops_mine()"]);
    assert_eq!(edits.missing, ["ops.inlined_word()"]);
    assert_eq!(schema.plan(&status), migrate::Plan::default());

    let mut next = toy::with(
        &schema,
        "create or replace function ops.next() returns text language sql as 'select 1';",
    );
    next.set.functions[2].sql = next.set.functions[2].sql.replace("'a'", "'aa'");
    let plan = next.plan(&next.status(&world.owner().await).await.unwrap());
    assert_eq!(plan.made, ["ops.inlined_word", "ops.next"]);
    assert_eq!(
        plan.replaced,
        ["ops.see_note", "ops.word", "public.ops_say"]
    );
    assert_eq!(plan.dropped, ["public.ops_mine"]);
    apply(&world, &next).await.unwrap();
    let status = next.status(&world.owner().await).await.unwrap();
    assert!(
        status.is_current() && status.hand_edits.is_empty(),
        "{status:?}"
    );
    let names = "(select jsonb_agg(proname || pronargs order by 1) from pg_proc where proname in ('word', 'inlined_word', 'ops_mine'))";
    assert_eq!(world.value(names).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_plan_for_an_empty_database_is_everything_and_changes_nothing() {
    let world = World::empty().await;
    let before = shape_of(&world).await;
    let schema = toy::schema("a");
    let plan = schema.plan(&schema.status(&world.owner().await).await.unwrap());
    assert_eq!((plan.tables.len(), plan.made.len()), (1, 6));
    assert!(plan.exchanges && plan.replaced.is_empty() && plan.dropped.is_empty());
    assert_eq!(shape_of(&world).await, before);
}

/// What there is, whether or not schema ops is.
async fn shape_of(world: &World) -> serde_json::Value {
    world
        .rows("select nspname, (select count(*) from pg_class where relnamespace = n.oid) from pg_namespace as n where nspname !~ '^pg_' order by 1")
        .await
}

#[tokio::test]
async fn a_failing_file_is_rolled_back_whole_and_named() {
    let world = World::empty().await;
    let mut schema = toy::schema("a");
    schema.tables.push(toy::tables(
        "0002",
        "more",
        "create table ops.more (id integer);\n\ncreate table ops.in_the_way (id integer);",
    ));
    let owner = world.owner().await;
    owner
        .batch_execute("create schema ops; create table ops.in_the_way (id integer)")
        .await
        .unwrap();
    let error = apply(&world, &schema).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "tables/0002_more.sql failed and was rolled back: relation \"in_the_way\" already exists (42P07)"
    );
    let status = schema.status(&owner).await.unwrap();
    assert_eq!((status.applied.len(), status.pending.len()), (1, 1));
    assert_eq!(
        world.value("to_regclass('ops.more')").await,
        serde_json::Value::Null
    );
    owner
        .batch_execute("drop table ops.in_the_way")
        .await
        .unwrap();
    let applied = apply(&world, &schema)
        .await
        .expect("it goes on where it stopped");
    assert_eq!(applied.tables, ["tables/0002_more.sql"]);
}

#[tokio::test]
async fn one_migrator_at_a_time() {
    let world = World::empty().await;
    let schema = Schema::embedded();
    let (one, other) = tokio::join!(apply(&world, &schema), apply(&world, &schema));
    let outcomes = [&one, &other];
    let busy = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(MigrateError::Busy)))
        .count();
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((busy, done), (1, 1), "{one:?} {other:?}");
}

#[tokio::test]
async fn a_migrator_that_waits_for_the_app_gives_up() {
    let world = World::empty().await;
    let schema = toy::schema("a");
    apply(&world, &schema).await.unwrap();
    let mut next = schema.clone();
    next.set.triggers[0].sql.clear();
    // A backup reads the table meanwhile; dropping its trigger would stop it.
    let reader = world.owner().await;
    reader
        .batch_execute("begin; select * from ops.notes")
        .await
        .unwrap();
    let error = apply(&world, &next).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Failed { code, .. } if code == "55P03"),
        "{error}"
    );
    reader.batch_execute("commit").await.unwrap();
    apply(&world, &next).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migrator_killed_anywhere_is_finished_by_the_next() {
    let mut schema = toy::schema("a");
    schema.tables.push(toy::tables(
        "0002",
        "more",
        "create table ops.more (id integer);",
    ));
    let fresh = World::empty().await;
    apply(&fresh, &schema).await.unwrap();
    let expected = shape(&fresh).await;
    let world = World::empty().await;
    for messages in 1.. {
        let is_done = apply_until_cut(&world, &schema, messages).await;
        finish(&world, &schema).await;
        assert_eq!(shape(&world).await, expected, "after {messages} messages");
        forget(&world).await;
        if is_done {
            assert!(messages > 20, "{messages}");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_killed_anywhere_is_finished_by_the_next() {
    let sets = ["a", "b"].map(toy::schema);
    let world = World::empty().await;
    apply(&world, &sets[0]).await.unwrap();
    for messages in 1.. {
        let set = &sets[messages % 2];
        let is_done = apply_until_cut(&world, set, messages).await;
        finish(&world, set).await;
        assert_eq!(world.value("ops.word()").await, ["a", "b"][messages % 2]);
        if is_done {
            assert!(messages > 15, "{messages}");
            break;
        }
    }
}

/// Whether the schema was applied before the connection was cut.
async fn apply_until_cut(world: &World, schema: &Schema, messages: usize) -> bool {
    match cut_session(world, messages).await {
        Some(mut client) => schema.apply(&mut client, &mut |_| {}).await.is_ok(),
        None => false,
    }
}

/// The next migrator, once the one that is just dying has let go.
async fn finish(world: &World, schema: &Schema) {
    // The lock of every migrator: the bytes of `pourtrai`.
    let lock = i64::from_be_bytes(*b"pourtrai");
    world
        .execute(&format!(
            "select pg_advisory_lock({lock}); select pg_advisory_unlock({lock})"
        ))
        .await;
    apply(world, schema)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Takes away everything that a migrator made.
async fn forget(world: &World) {
    world
        .execute(
            "drop schema if exists ops cascade;
             do $$
             declare
                 v_function regprocedure;
             begin
                 for v_function in
                     select oid from pg_proc
                     where pronamespace = 'public'::regnamespace and proname like 'ops\\_%'
                 loop
                     execute format('drop function %s cascade', v_function);
                 end loop;
             end
             $$",
        )
        .await;
}

/// A session whose connection is cut after that many messages to the server.
/// None if that is before it stands.
async fn cut_session(world: &World, messages: usize) -> Option<Client> {
    let config = world.owner_config().await;
    let tokio_postgres::config::Host::Tcp(host) = &config.get_hosts()[0] else {
        panic!("a TCP host");
    };
    let server = TcpStream::connect((host.as_str(), config.get_ports()[0]))
        .await
        .unwrap();
    server.set_nodelay(true).unwrap();
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(relay(far, server, messages));
    let (client, connection) = config.connect_raw(near, NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// Hands both ways what comes, and drops both ends after so many messages of
/// the client. Its first message alone has no letter.
async fn relay(client: DuplexStream, server: TcpStream, messages: usize) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    for number in 0..messages {
        let mut head = vec![0; if number == 0 { 4 } else { 5 }];
        if from_client.read_exact(&mut head).await.is_err() {
            return;
        }
        let length: [u8; 4] = head[head.len() - 4..].try_into().unwrap();
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        from_client.read_exact(&mut body).await.unwrap();
        head.append(&mut body);
        to_server.write_all(&head).await.unwrap();
    }
    answers.abort();
}
