-- Generated from kubernetes/sizes.ts and libs/db by npm run manifests; not edited by hand.
-- After provisioning, as the administrator; times are in milliseconds.
alter role taskflow_auth set statement_timeout = '15000';
alter role taskflow_auth set lock_timeout = '3000';
alter role taskflow_auth set idle_in_transaction_session_timeout = '10000';
alter role taskflow_auth set max_parallel_workers_per_gather = '0';
alter role taskflow_auth set jit = 'off';
alter role taskflow_users set statement_timeout = '15000';
alter role taskflow_users set lock_timeout = '3000';
alter role taskflow_users set idle_in_transaction_session_timeout = '10000';
alter role taskflow_users set max_parallel_workers_per_gather = '0';
alter role taskflow_users set jit = 'off';
alter role taskflow_tasks set statement_timeout = '15000';
alter role taskflow_tasks set lock_timeout = '3000';
alter role taskflow_tasks set idle_in_transaction_session_timeout = '10000';
alter role taskflow_tasks set max_parallel_workers_per_gather = '0';
alter role taskflow_tasks set jit = 'off';
alter role taskflow_scheduler set statement_timeout = '15000';
alter role taskflow_scheduler set lock_timeout = '3000';
alter role taskflow_scheduler set idle_in_transaction_session_timeout = '10000';
alter role taskflow_scheduler set max_parallel_workers_per_gather = '0';
alter role taskflow_scheduler set jit = 'off';
