//! `feedback` against a running bundle: what somebody wrote is about an error, is answered by
//! mail, and nobody but whoever is answered sees their address.

use dev::{DevOptions, Running};
use http::Method;
use local_supabase::fault::{Mode, Service};
use outside::outbound::Outbound;
use serde_json::{Value, json};

use crate::support::{bundle, call_with, send};

/// Two people write, one of them about an error that they just met.
async fn write(url: &str) {
    let body = json!({
        "session": "s1", "release": "1.4.2", "items": [
            {"type": "error", "name": "TypeError", "message": "no cork"},
            {"type": "feedback", "message": "I cannot pour.\nAt all!", "contact": "anna@wine.example",
             "about": "last_error", "properties": {"page": "/wines"}},
            {"type": "feedback", "message": "Nice labels"},
        ],
    });
    let outbound = Outbound::default();
    let request = outbound.client().unwrap().request(Method::POST, url);
    let response = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
}

/// To whom letters went, about what, and what they say.
async fn letters(running: &Running) -> Vec<[String; 3]> {
    let inbox = send(running, Method::GET, "/_local/inbox", None)
        .await
        .json();
    let messages = inbox.as_array().unwrap().iter();
    messages
        .filter(|message| message["channel"] == "email")
        .map(|message| {
            ["to", "subject", "text"].map(|part| message[part].as_str().unwrap().to_owned())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_wrote_is_answered_by_mail_and_closed() {
    let options = DevOptions {
        crons: false,
        ..DevOptions::default()
    };
    let (running, _database) = bundle(options).await;
    let call = async |arguments: &[&str]| call_with(&running.env, arguments).await;
    assert_eq!(
        call(&["feedback", "list"]).await.stdout,
        "no open feedback\n"
    );
    let url = call(&["door", "add", "web", "--json"]).await.json()["url"].clone();
    write(url.as_str().unwrap()).await;

    let listed = call(&["feedback", "list", "--json"]).await;
    assert!(!listed.stdout.contains("anna@"), "{listed:?}");
    let listed = listed.json()["feedback"].clone();
    let id = |message: &str| {
        let written = listed.as_array().unwrap().iter();
        let mut written = written.filter(|written| written["message"] == message);
        written.next().unwrap()["id"].as_str().unwrap()[..8].to_owned()
    };
    let (pour, labels) = (id("I cannot pour.\nAt all!"), id("Nice labels"));
    let shown = call(&["feedback", "show", &pour]).await.stdout;
    for words in [
        "its writer can be answered",
        "page: /wines",
        "TypeError: no cork (open)",
        "    At all!",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let errors = call(&["errors", "list", "--json"]).await.json();
    let issue = errors["errors"][0]["id"].as_str().unwrap().to_owned();
    let shown = call(&["errors", "show", &issue]).await.stdout;
    assert!(shown.contains("I cannot pour. At all!"), "{shown}");

    // While the provider fails, whoever answers learns where to write.
    let stack = running.stack();
    stack
        .set_fault(Service::Resend, Mode::Refuse)
        .await
        .unwrap();
    let failed = call(&["feedback", "answer", &pour, "Now you can."]).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(
        failed.stdout.contains("write to anna@wine.example"),
        "{failed:?}"
    );
    stack.set_fault(Service::Resend, Mode::Ok).await.unwrap();
    let answered = call(&["feedback", "answer", &pour, "Now you can."]).await;
    assert_eq!(answered.status, 0, "{answered:?}");
    assert!(
        answered.stdout.contains("is answered by mail"),
        "{answered:?}"
    );
    let letter = ["anna@wine.example", "Your feedback", "Now you can."];
    assert_eq!(letters(&running).await, [letter.map(str::to_owned)]);

    let nowhere = call(&["feedback", "answer", &labels, "Thank you!"]).await;
    assert!(
        nowhere.stdout.contains("left nowhere to be answered"),
        "{nowhere:?}"
    );
    assert_eq!(
        call(&["feedback", "close", &pour, "--note", "fixed"])
            .await
            .status,
        0
    );
    let listed = call(&["feedback", "list", "--json"]).await.json();
    assert_eq!(listed["feedback"].as_array().unwrap().len(), 1);
    let all = call(&["feedback", "list", "--all", "--json"]).await.json();
    let closed = all["feedback"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["status"] == "closed");
    let closed = closed.unwrap();
    assert_eq!(
        (&closed["reachable"], &closed["note"], &closed["answer"]),
        (&json!(false), &json!("fixed"), &json!("Now you can."))
    );
    assert_ne!(closed["mailedAt"], Value::Null);
    for wrong in [
        &["feedback", "answer", &pour, "x"][..],
        &["feedback", "show", "zzzz"],
    ] {
        assert_eq!(call(wrong).await.status, 2, "{wrong:?}");
    }
    running.stop().await.unwrap();
}
