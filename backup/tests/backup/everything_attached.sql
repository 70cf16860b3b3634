-- What the app has on managed tables and in the whole database, which Supabase
-- lets its role postgres do and a plain server does not. Run as the superuser.

create policy "own folder" on storage.objects for select to authenticated
    using (bucket_id = 'labels' and (storage.foldername(name)) [1] = auth.uid()::text);
create policy "staff" on storage.objects for all to shop_clerk using (true);
create trigger on_auth_user_created after insert on auth.users
    for each row execute function public.handle_new_user();
comment on trigger on_auth_user_created on auth.users is 'makes a profile';
create publication by_schema;
alter publication by_schema owner to postgres;
alter publication by_schema add tables in schema shop;
create function shop.on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
alter function shop.on_ddl() owner to postgres;
create event trigger "Bei DDL" on ddl_command_end when tag in ('CREATE TABLE', 'DROP TABLE')
    execute function shop.on_ddl();
alter event trigger "Bei DDL" disable;
comment on event trigger "Bei DDL" is 'watches';
