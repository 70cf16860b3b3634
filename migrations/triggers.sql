-- These triggers run functions when a row changes, so that no path that changes the row can
-- forget them.

create or replace trigger validate_setting
    before insert or update on ops.settings
    for each row execute function ops.validate_setting();

create or replace trigger reschedule_firings
    after insert or update on ops.maintenance_windows
    for each row execute function ops.reschedule_firings();

create or replace trigger reopen_rollups
    after insert or update on ops.maintenance_windows
    for each row execute function ops.reopen_rollups();

create or replace trigger prove_channel
    after update of status on ops.outbox
    for each row
    when (new.status = 'sent' and old.status <> 'sent' and new.facts ? 'recipients')
    execute function ops.prove_channel();

create or replace trigger log_alert
    after insert or update of status on ops.alerts
    for each row execute function ops.log_alert();

create or replace trigger validate_custom_check
    before insert or update on ops.custom_checks
    for each row execute function ops.validate_custom_check();

create or replace trigger record_check_change
    after insert or update or delete on ops.custom_checks
    for each row execute function ops.record_check_change();

-- Every change of an alert is written into its timeline, so this trigger sees all of them.
create or replace trigger show_event
    after insert on ops.alert_events
    for each row
    when (new.kind in ('acknowledged', 'snoozed', 'unacknowledged', 'acknowledgement_ended', 'resolved'))
    execute function ops.show_event();

create or replace trigger show_event_missed
    after update of status on ops.outbox
    for each row
    when (
        new.status = 'sent'
        and old.status <> 'sent'
        and new.kind in ('firing', 'escalation')
        and new.provider_id is not null
    )
    execute function ops.show_event_missed();

create or replace trigger check_dependency
    after insert or update on ops.dependencies
    for each row execute function ops.check_dependency();

-- This runs after the row is written, so that checks that are added together may need each
-- other.
create or replace trigger check_needs
    after insert or update on ops.custom_checks
    for each row
    when (new.spec ? 'dependsOn')
    execute function ops.check_needs();

create or replace trigger keep_needed_check
    after delete on ops.custom_checks
    for each row execute function ops.keep_needed_check();

create or replace trigger log_incident
    after insert or update on ops.incidents
    for each row execute function ops.log_incident();

create or replace trigger log_joining
    after update of incident on ops.alerts
    for each row
    when (new.incident is not null and new.incident is distinct from old.incident)
    execute function ops.log_joining();

create or replace trigger log_joining_at_once
    after insert on ops.alerts
    for each row
    when (new.incident is not null)
    execute function ops.log_joining();

create or replace trigger note_beginning
    before insert on ops.incidents
    for each row execute function ops.note_beginning();

create or replace trigger count_new_issues
    after insert on ops.items
    referencing new table as taken
    for each statement execute function ops.count_new_issues();

create or replace trigger count_new_items
    after insert on ops.items
    referencing new table as taken
    for each statement execute function ops.count_new_items();

-- What the application writes is counted in its own transaction, so that a figure becomes
-- visible exactly when its row does. Each of these functions lets the statement pass, whatever
-- happens in it.
create or replace trigger ops_count_requests
    after insert on public.api_usage_metrics
    referencing new table as fresh
    for each statement execute function ops.count_new_requests();

create or replace trigger ops_count_events
    after insert on public.analytics_events
    referencing new table as fresh
    for each statement execute function ops.count_new_events();

create or replace trigger ops_count_errors
    after insert on public.error_logs
    referencing new table as fresh
    for each statement execute function ops.count_new_errors();

create or replace trigger ops_count_metrics
    after insert on public.performance_metrics
    referencing new table as fresh
    for each statement execute function ops.count_new_metrics();

create or replace trigger ops_count_business
    after insert on public.business_metrics
    referencing new table as fresh
    for each statement execute function ops.count_new_business();

create or replace trigger ops_count_sessions
    after insert on public.user_sessions
    referencing new table as fresh
    for each statement execute function ops.count_new_sessions();

create or replace trigger ops_recount_sessions
    after update on public.user_sessions
    referencing old table as former new table as fresh
    for each statement execute function ops.recount_sessions();

create or replace trigger ops_count_features
    after insert on public.feature_usage
    referencing new table as fresh
    for each statement execute function ops.count_new_features();

create or replace trigger ops_recount_features
    after update on public.feature_usage
    referencing old table as former new table as fresh
    for each statement execute function ops.recount_features();

create or replace trigger validate_funnel
    before insert or update on ops.funnels
    for each row execute function ops.validate_funnel();

create or replace trigger record_funnel_change
    after insert or update or delete on ops.funnels
    for each row execute function ops.record_funnel_change();

-- Each names the functions that may do what it watches; everybody else is refused, the owner
-- of the tables included.
create or replace trigger guard_audit
    before insert or update or delete on ops.audit
    for each row execute function ops.guard_audit('chain_audit|cut_audit');

create or replace trigger guard_audit_whole
    before truncate on ops.audit
    for each statement execute function ops.guard_audit('chain_audit');

create or replace trigger guard_audit_details
    before insert or update or delete on ops.audit_details
    for each row execute function ops.guard_audit('chain_audit|erase_audit_details|cut_audit');

create or replace trigger guard_audit_details_whole
    before truncate on ops.audit_details
    for each statement execute function ops.guard_audit('chain_audit|erase_audit_details');

create or replace trigger guard_audit_checkpoint
    before insert or update or delete on ops.audit_checkpoint
    for each row execute function ops.guard_audit('cut_audit');

create or replace trigger guard_audit_checkpoint_whole
    before truncate on ops.audit_checkpoint
    for each statement execute function ops.guard_audit('cut_audit');

create or replace trigger guard_audit_pending
    before insert or update or delete on ops.audit_pending
    for each row execute function ops.guard_audit('write_audit|chain_audit');

create or replace trigger guard_audit_key
    before insert or update or delete on ops.audit_key
    for each row execute function ops.guard_audit('nobody');

-- A trigger that waits for the commit cannot be replaced in place.
drop trigger if exists chain_audit on ops.audit_pending;

create constraint trigger chain_audit
    after insert on ops.audit_pending
    deferrable initially deferred
    for each row execute function ops.chain_audit();
