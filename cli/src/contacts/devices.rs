//! `pourtrait contacts devices` and `keygen`: on which devices push messages reach a contact,
//! and the key that they subscribe to.

use std::{fs, io, path::Path};

use anyhow::{Context, anyhow};
use ops::{
    app::App,
    push_devices::{AddDevice, Device, Devices, RemoveDevice},
    web_push::VapidKey,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Contact, arguments::DevicesOf};
use crate::{
    environment::Environment,
    project::{Project, author},
};
use terminal::{
    failure::Misuse,
    output::{self, Output},
};

/// Shows the devices of a contact, after adding one or taking one away.
pub(super) async fn run(
    project: &Project,
    contact: &Contact,
    options: &DevicesOf,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<()> {
    let devices = match (&options.add, &options.remove) {
        (Some(file), _) => {
            let name = options.device.as_deref().unwrap_or_default();
            add(project, contact, file, name, environment).await?
        }
        (None, Some(device)) => remove(project, contact, device).await?,
        (None, None) => contact.devices.clone(),
    };
    let document = json!({ "contact": contact.name, "devices": devices });
    output.result(&document, &table(&devices));
    if options.add.is_none() && options.remove.is_none() {
        output::note(&where_to_add(&contact.name, environment));
    }
    Ok(())
}

async fn add(
    project: &Project,
    contact: &Contact,
    file: &Path,
    name: &str,
    environment: &Environment,
) -> anyhow::Result<Vec<Device>> {
    let text = if file.as_os_str() == "-" {
        io::read_to_string(io::stdin()).context("cannot read the subscription")?
    } else {
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    let subscription: Value = serde_json::from_str(&text)
        .map_err(|_| Misuse("a subscription must be JSON, as a browser writes it".to_owned()))?;
    let app = App::new(environment.config());
    let call = AddDevice::of(&app, &subscription, name, author())
        .map_err(|problem| Misuse(problem.to_owned()))?;
    let call = AddDevice {
        p_contact: Some(contact.id),
        ..call
    };
    let Devices { devices, .. } = project.call(&call).await?;
    Ok(devices)
}

async fn remove(project: &Project, contact: &Contact, device: &str) -> anyhow::Result<Vec<Device>> {
    let call = RemoveDevice {
        p_contact: Some(contact.id),
        p_email: None,
        p_device: Some(find(&contact.devices, device)?),
        p_endpoint: None,
    };
    let Devices { devices, .. } = project.call(&call).await?;
    Ok(devices)
}

/// The device of that name or id.
fn find(devices: &[Device], wanted: &str) -> Result<Uuid, Misuse> {
    let wanted = wanted.trim().to_lowercase();
    let found: Vec<&Device> = devices
        .iter()
        .filter(|device| device.name.to_lowercase() == wanted || device.id.to_string() == wanted)
        .collect();
    match found.as_slice() {
        [device] => Ok(device.id),
        [] => Err(Misuse(format!("no device is called {wanted}"))),
        several => {
            let ids: Vec<String> = several.iter().map(|device| device.id.to_string()).collect();
            let ids = ids.join(" and ");
            Err(Misuse(format!(
                "several devices are called {wanted}: name the id, {ids}"
            )))
        }
    }
}

fn table(devices: &[Device]) -> String {
    if devices.is_empty() {
        return "no devices: no push message reaches this contact".to_owned();
    }
    let lines = devices.iter().map(|device| {
        let proven = match &device.proven_at {
            Some(at) => format!("last reached {at}"),
            None => "not proven".to_owned(),
        };
        format!(
            "{}  {}  added {}, {proven}",
            device.id, device.name, device.added_at
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn where_to_add(name: &str, environment: &Environment) -> String {
    let config = environment.config();
    match (config.base_url, config.web_push) {
        (Some(base), Some(_)) => format!(
            "to add one: on the device, sign in at {}/dashboard with the email address of {name} \
             and press \"Notify this device\" (an iPhone: add the page to the home screen first)",
            base.as_str().trim_end_matches('/')
        ),
        _ => "push messages are not configured here: `pourtrait contacts keygen` makes a VAPID_PRIVATE_KEY, and BASE_URL says where the pages are".to_owned(),
    }
}

/// Makes the key that browsers subscribe to.
pub(super) fn keygen(output: Output) -> anyhow::Result<()> {
    let private = VapidKey::generate().map_err(|_| anyhow!("this machine has no randomness"))?;
    let key = VapidKey::parse(private.expose_secret()).map_err(|problem| anyhow!(problem))?;
    output.result(
        &json!({"VAPID_PRIVATE_KEY": private.expose_secret(), "publicKey": key.public_key()}),
        &format!(
            "For the functions' environment:\n\nVAPID_PRIVATE_KEY={}\n\nThe public key, which browsers are given:\n\n{}\n",
            private.expose_secret(),
            key.public_key()
        ),
    );
    output::note(
        "Keep it: every device subscribes to this key, and has to subscribe anew to another one.",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: u128, name: &str) -> Device {
        Device {
            id: Uuid::from_u128(id),
            name: name.to_owned(),
            added_at: "2026-11-24T03:12:00Z".to_owned(),
            proven_at: None,
        }
    }

    #[test]
    fn a_device_goes_by_its_name_or_its_id_and_two_of_one_name_by_their_ids() {
        let devices = [
            device(1, "iPhone"),
            device(2, "Laptop"),
            device(3, "laptop"),
        ];
        assert_eq!(find(&devices, " iphone ").unwrap(), Uuid::from_u128(1));
        assert_eq!(
            find(&devices, &Uuid::from_u128(3).to_string()).unwrap(),
            Uuid::from_u128(3)
        );
        for wrong in ["laptop", "tablet", ""] {
            assert!(find(&devices, wrong).is_err(), "{wrong}");
        }
    }
}
