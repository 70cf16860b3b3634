drop function if exists public.contract_add, public.contract_search, public.contract_total,
    public.contract_touch, public.contract_refuse, public.contract_who;
drop table if exists public.contract_wines, public.contract_notes, public.contract_stock;
notify pgrst, 'reload schema';
