import { idempotencyTable, Migration } from '#libs/db';

/** What a key may be used for follows from its times alone, so that nobody has to carry it from one state to the next. */
export class KeyRotation extends Migration {
  override up(): void {
    this.addSql(idempotencyTable.up);
    this.addSql(`
      alter table signing_keys add column sign_time timestamptz(3);
      update signing_keys set sign_time = coalesce(activate_time, create_time);
      alter table signing_keys alter column sign_time set not null;
      drop index signing_keys_one_active_key;
      alter table signing_keys drop constraint signing_keys_state_check, drop column state, drop column activate_time;
    `);
  }

  override down(): void {
    this.addSql(`
      alter table signing_keys add column state text, add column activate_time timestamptz(3);
      update signing_keys set activate_time = sign_time, state = case
        when retire_time <= now() then 'retired' when sign_time > now() then 'published' else 'retiring' end;
      update signing_keys set state = 'active'
        where kid = (select kid from signing_keys where state = 'retiring' order by sign_time desc, kid desc limit 1);
      alter table signing_keys alter column state set not null, drop column sign_time;
      alter table signing_keys add constraint signing_keys_state_check check (state in ('published', 'active', 'retiring', 'retired'));
      create unique index signing_keys_one_active_key on signing_keys (state) where (state = 'active');
    `);
    this.addSql(idempotencyTable.down);
  }
}
