-- Ways that were chosen, and quiet hours.
update ops.contacts
set
    ways = '{"critical": {"sms": 0, "email": 5}, "high": {"email": 0}}',
    quiet_days = '{1,2,3,4,5,6,7}', quiet_from = '22:00', quiet_until = '07:00'
where id = '00000000-0000-4000-8000-000000001701';
