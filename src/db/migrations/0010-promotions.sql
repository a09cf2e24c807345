-- A generation may also be another environment's, promoted.
alter table generations drop constraint generations_reason_check;
alter table generations add constraint generations_reason_check check (reason in ('install', 'rollback', 'promotion'));
