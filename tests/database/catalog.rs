//! What is true of everything that the migrations made.

use serde_json::{Value, json};

use crate::{
    changing_statements::changing,
    migrations::APP_TABLES,
    support::{World, array},
};

/// Asserts that a query, which looks for offenders, finds none.
async fn check(world: &World, rule: &str, offenders: &str) {
    assert_eq!(world.rows(offenders).await, json!([]), "{rule}");
}

/// The tables of ours and the application's nine, as an SQL condition on `c`.
fn our_tables() -> String {
    format!(
        "c.relkind = 'r' and (c.relnamespace = 'ops'::regnamespace or c.oid = any (array['public.{}']::regclass[]))",
        APP_TABLES.join("','public."),
    )
}

/// Our functions, as an SQL condition on `p`.
const OUR_FUNCTIONS: &str = "(p.pronamespace = 'ops'::regnamespace
    or p.pronamespace = 'public'::regnamespace and p.proname like 'ops\\_%')";

async fn worlds() -> [World; 2] {
    let of_the_app = World::of_the_app().await;
    of_the_app.migrate().await;
    [World::migrated().await, of_the_app]
}

#[tokio::test]
async fn every_table_has_row_level_security_and_a_comment() {
    for world in worlds().await {
        let tables = our_tables();
        let count = world
            .value(&format!("(select count(*) from pg_class c where {tables})"))
            .await;
        assert!(count.as_u64().unwrap() > 20, "{count} tables");
        let unprotected =
            format!("select c.relname from pg_class c where {tables} and not c.relrowsecurity");
        check(&world, "row level security", &unprotected).await;
        let silent = format!(
            "select c.relname from pg_class c where {tables} and obj_description(c.oid, 'pg_class') is null"
        );
        check(&world, "comments on tables", &silent).await;
    }
}

#[tokio::test]
async fn strangers_have_no_grant_on_tables_of_ours() {
    for world in worlds().await {
        let granted = "
            select c.relname, role, privilege
            from pg_class c,
                 unnest('{anon,authenticated}'::name[]) as role,
                 unnest('{select,insert,update,delete,truncate}'::text[]) as privilege
            where c.relkind = 'r' and c.relnamespace = 'ops'::regnamespace
                and has_table_privilege(role, c.oid, privilege)";
        check(&world, "grants on ops", granted).await;
        let anonymous = format!(
            "select c.relname, privilege
             from pg_class c, unnest('{{select,insert,update,delete,truncate}}'::text[]) as privilege
             where {} and has_table_privilege('anon', c.oid, privilege)",
            our_tables(),
        );
        check(&world, "grants to anon", &anonymous).await;
        let policies = "
            select tablename, policyname from pg_policies
            where schemaname = 'ops' and roles <> '{service_role}'";
        check(
            &world,
            "policies on ops for others than the server",
            policies,
        )
        .await;
    }
}

#[tokio::test]
async fn no_function_is_executable_by_strangers() {
    for world in worlds().await {
        let executable = format!(
            "select p.proname, role
             from pg_proc p, unnest('{{anon,authenticated}}'::name[]) as role
             where {OUR_FUNCTIONS} and has_function_privilege(role, p.oid, 'execute')
             union all
             select p.proname, 'public'
             from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
             where {OUR_FUNCTIONS} and acl.grantee = 0"
        );
        check(&world, "execute", &executable).await;
        let locked_out = format!(
            "select p.proname from pg_proc p
             where {OUR_FUNCTIONS} and not has_function_privilege('service_role', p.oid, 'execute')"
        );
        check(&world, "the server's key", &locked_out).await;
    }
}

#[tokio::test]
async fn functions_are_of_one_form() {
    let world = World::migrated().await;
    let searching = format!(
        "select p.proname from pg_proc p
         where {OUR_FUNCTIONS} and not coalesce(p.proconfig @> array['search_path=\"\"'], false)"
    );
    check(&world, "empty search_path", &searching).await;
    let silent = format!(
        "select p.proname from pg_proc p
         where {OUR_FUNCTIONS} and obj_description(p.oid, 'pg_proc') is null"
    );
    check(&world, "comments on functions", &silent).await;
    let overloaded = format!(
        "select p.proname from pg_proc p where {OUR_FUNCTIONS}
         group by p.pronamespace, p.proname having count(*) > 1"
    );
    check(&world, "no overloads", &overloaded).await;
    let odd = format!(
        "select p.proname from pg_proc p
         where {OUR_FUNCTIONS} and p.pronamespace = 'public'::regnamespace
             and (p.proretset or p.prorettype <> 'jsonb'::regtype)"
    );
    check(&world, "one document", &odd).await;
    let unnamed = format!(
        "select p.proname, argument
         from pg_proc p, unnest(p.proargnames[1:p.pronargs]) as argument
         where {OUR_FUNCTIONS} and argument not like 'p\\_%'"
    );
    check(&world, "p_ arguments", &unnamed).await;

    let definers =
        format!("select p.proname from pg_proc p where {OUR_FUNCTIONS} and p.prosecdef order by 1");
    assert_eq!(
        world.rows(&definers).await,
        json!([{"proname": "audit_actor"}, {"proname": "chain_audit"}, {"proname": "compared_column"}, {"proname": "count_new_business"}, {"proname": "count_new_errors"}, {"proname": "count_new_events"}, {"proname": "count_new_features"}, {"proname": "count_new_metrics"}, {"proname": "count_new_requests"}, {"proname": "count_new_sessions"}, {"proname": "cut_audit"}, {"proname": "drop_item_day"}, {"proname": "erase_audit_details"}, {"proname": "open_item_days"}, {"proname": "read_sessions"}, {"proname": "read_slow_calls"}, {"proname": "read_statements"}, {"proname": "recount_features"}, {"proname": "recount_sessions"}, {"proname": "write_audit"}])
    );
    let reading = format!(
        "select p.proname from pg_proc p
         where {OUR_FUNCTIONS} and p.pronamespace = 'public'::regnamespace and p.provolatile = 's'
         order by 1"
    );
    assert_eq!(
        world.rows(&reading).await,
        json!([{"proname": "ops_advise_database"}, {"proname": "ops_backup_evidence"}, {"proname": "ops_consents"}, {"proname": "ops_costs"}, {"proname": "ops_dashboard"}, {"proname": "ops_due_exports"}, {"proname": "ops_due_security_report"}, {"proname": "ops_file_budget"}, {"proname": "ops_find_answered"}, {"proname": "ops_find_source_maps"}, {"proname": "ops_funnel"}, {"proname": "ops_list_alerts"}, {"proname": "ops_list_archives"}, {"proname": "ops_list_audit"}, {"proname": "ops_list_channels"}, {"proname": "ops_list_checks"}, {"proname": "ops_list_components"}, {"proname": "ops_list_contacts"}, {"proname": "ops_list_door_keys"}, {"proname": "ops_list_drills"}, {"proname": "ops_list_errors"}, {"proname": "ops_list_exercises"}, {"proname": "ops_list_feedback"}, {"proname": "ops_list_funnels"}, {"proname": "ops_list_incidents"}, {"proname": "ops_list_maintenance"}, {"proname": "ops_list_messages"}, {"proname": "ops_list_privacy_requests"}, {"proname": "ops_list_resources"}, {"proname": "ops_list_samples"}, {"proname": "ops_list_settings"}, {"proname": "ops_list_source_maps"}, {"proname": "ops_metrics"}, {"proname": "ops_missing_source_maps"}, {"proname": "ops_ping"}, {"proname": "ops_plan_collection"}, {"proname": "ops_plan_receipts"}, {"proname": "ops_plan_replay"}, {"proname": "ops_plan_reread"}, {"proname": "ops_plan_retention"}, {"proname": "ops_read_audit"}, {"proname": "ops_read_source_map"}, {"proname": "ops_replay"}, {"proname": "ops_report"}, {"proname": "ops_retention"}, {"proname": "ops_security_report"}, {"proname": "ops_show_database"}, {"proname": "ops_show_error"}, {"proname": "ops_show_export"}, {"proname": "ops_show_feedback"}, {"proname": "ops_show_incident"}, {"proname": "ops_show_link"}, {"proname": "ops_show_oncall"}, {"proname": "ops_show_overview"}, {"proname": "ops_show_retention"}, {"proname": "ops_show_subscription"}, {"proname": "ops_status"}]),
    );
}

#[tokio::test]
async fn every_foreign_key_is_indexed() {
    for world in worlds().await {
        let bare = format!(
            "select con.conrelid::regclass::text as child, con.conname
             from pg_constraint con
             join pg_class c on c.oid = con.conrelid
             where con.contype = 'f' and {}
                 and not exists (
                     select from pg_index i
                     where i.indrelid = con.conrelid and i.indkey[0] = con.conkey[1]
                 )",
            our_tables(),
        );
        check(&world, "foreign keys", &bare).await;
    }
}

#[tokio::test]
async fn every_type_is_commented() {
    let world = World::migrated().await;
    let silent = "
        select t.typname
        from pg_type t
        join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
        where t.typnamespace = 'ops'::regnamespace and obj_description(t.oid, 'pg_type') is null";
    check(&world, "comments on types", silent).await;
}

/// `safeupdate` refuses an UPDATE or DELETE without WHERE for every session of
/// the gateway, those inside our functions included.
#[tokio::test]
async fn every_update_and_delete_has_a_where() {
    let world = World::migrated().await;
    let bodies = world
        .rows(&format!(
            "select p.proname, p.prosrc from pg_proc p where {OUR_FUNCTIONS}"
        ))
        .await;
    let mut statements = 0;
    for body in array(&bodies) {
        for statement in changing(body["prosrc"].as_str().unwrap()) {
            assert!(
                statement.has_where,
                "{}: {}",
                body["proname"], statement.text
            );
            statements += 1;
        }
    }
    assert!(statements > 10, "only {statements} statements found");
}

/// The runbook and the tick name the same rules.
#[tokio::test]
async fn every_rule_has_a_severity_or_takes_one() {
    let world = World::migrated().await;
    let rules: Vec<Value> = world
        .rows("select rule || ' ' || coalesce(severity, '-') as line from ops.rules order by rule")
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["line"].clone())
        .collect();
    assert_eq!(
        rules,
        [
            "access_drift medium",
            "admin_granted high",
            "api_average_slow medium",
            "api_slow high",
            "app_alert -",
            "app_down critical",
            "app_slow high",
            "application_archive_overdue medium",
            "backup_collection_overdue medium",
            "backup_damaged high",
            "backup_drill_failed high",
            "backup_drill_overdue medium",
            "backup_failed high",
            "backup_gap medium",
            "backup_lock_open high",
            "backup_overdue high",
            "backup_receipts_broken high",
            "backup_recovery_drill_overdue medium",
            "backup_replica_behind high",
            "backup_reread_behind medium",
            "backup_rpo_breached critical",
            "backup_rto_trend medium",
            "backup_suspect high",
            "backup_verification_overdue medium",
            "certificate_expiring low",
            "certificate_urgent medium",
            "channel_failing high",
            "check_failing -",
            "check_slow medium",
            "clock_silent medium",
            "clocks_missing critical",
            "connections_high high",
            "cost_over_limit low",
            "critical_error critical",
            "database_failing critical",
            "delivery_unproven medium",
            "endpoint_slow low",
            "error_new critical",
            "error_rate_high high",
            "error_regressed high",
            "error_spike high",
            "external -",
            "job_failing high",
            "job_missed medium",
            "job_overdue high",
            "job_slow medium",
            "monitoring_blind critical",
            "monitoring_gap high",
            "oncall_calendar_unread medium",
            "oncall_hole medium",
            "outbox_stuck high",
            "page_load_slow medium",
            "pages_unwatched critical",
            "privacy_request_waits high",
            "provider_backup high",
            "refused_requests medium",
            "release_pinned medium",
            "release_regressed high",
            "resource_full high",
            "resource_high medium",
            "service_degraded medium",
            "sign_in_attempts high",
            "slo_fast_burn high",
            "slo_slow_burn low",
            "slow_queries medium",
            "storage_files_unsaved medium",
            "storage_rows_without_file medium",
            "web_vital_poor medium",
        ],
    );
}
