//! `alerts replay`: rules tried on the past of a bundle.

use dev::DevOptions;
use serde_json::json;

use crate::support::{Folder, bundle, call_with};

/// Forty ticks up to a few minutes ago: the app is down for four of every ten.
const HISTORY: &str = "
    do $$
    declare
        v_claim jsonb;
        v_at timestamptz;
    begin
        for v_minute in 0 .. 39 loop
            v_at := now() - interval '45 minutes' + make_interval(mins => v_minute);
            v_claim := public.ops_claim_run(gen_random_uuid(), 'monitor', 60, 55, false, v_at);
            perform public.ops_commit_tick(
                (v_claim ->> 'run')::uuid,
                (v_claim ->> 'fence')::bigint,
                jsonb_build_object(
                    'environment', 'production', 'everySeconds', 60, 'channels', '[]'::jsonb,
                    'checks', jsonb_build_array(jsonb_build_object(
                        'name', 'app:https://app.example/', 'kind', 'app', 'service', 'app',
                        'status', case when v_minute % 10 < 4 then 'down' else 'up' end
                    ))
                ),
                v_at
            );
        end loop;
    end
    $$";

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_tried_on_the_past_and_refused_if_they_page_too_much() {
    let (running, database) = bundle(DevOptions::default()).await;
    let cluster = database.cluster().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    admin.batch_execute(HISTORY).await.unwrap();
    let call = async |arguments: &[&str]| {
        call_with(&running.env, &[&["alerts", "replay"], arguments].concat()).await
    };

    let now = call(&["--since", "2h", "--json"]).await;
    assert_eq!(now.status, 0, "{now:?}");
    let report = now.json();
    assert_eq!(report["ticks"], 40);
    assert_eq!(report["firings"], report["happened"]);
    assert_eq!(report["pages"], report["pagesReally"]);
    assert_eq!(report["pages"]["total"], 4);

    let folder = Folder::with(&[
        (
            "calm",
            "# four in a row are not enough\nalert.bad_after = 5\n",
        ),
        (
            "soft.json",
            r#"{"severity.app_down": "medium", "digest.hour_utc": 3}"#,
        ),
        ("wrong", "alert.bad_after = 0\n"),
        ("odd", "alert.bad_after\n"),
    ]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let calmer = call(&["--rules", &path("calm"), "--max-pages-per-day", "0"]).await;
    assert_eq!(calmer.status, 0, "{calmer:?}");
    assert!(
        calmer
            .stdout
            .contains("pages a day: 0.0\nreally:      4.0, most on "),
        "{calmer:?}"
    );

    let soft = call(&[
        "--rules",
        &path("soft.json"),
        "--max-pages-per-day",
        "0",
        "--json",
    ])
    .await;
    assert_eq!(soft.status, 0, "{soft:?}");
    assert_eq!(soft.json()["firings"].as_array().unwrap().len(), 4);
    assert_eq!(soft.json()["untried"], json!(["digest.hour_utc"]));

    let loud = call(&["--max-pages-per-day", "0"]).await;
    assert_eq!(loud.status, 1, "{loud:?}");
    assert!(
        loud.stderr.contains("more than 0 pages on a day"),
        "{loud:?}"
    );

    for wrong in [
        &["--rules", &path("wrong")][..],
        &["--rules", &path("odd")],
        &["--rules", &path("none")],
        &["--since", "soon"],
    ] {
        assert_eq!(call(wrong).await.status, 2, "{wrong:?}");
    }
    running.stop().await.unwrap();
}
