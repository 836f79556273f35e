import { Migration } from '#libs/db';

// Only adds, and with defaults: the version before goes on reading and writing while this is rolled out.
export class SettingsAndSearch extends Migration {
  override up(): void {
    this.addSql(`
      alter table profiles
        add column overdue_hour smallint not null default 9,
        add column channels text[] not null default '{inbox}',
        add constraint profiles_overdue_hour_check check (overdue_hour >= 0 and overdue_hour <= 23),
        add constraint profiles_channels_check check (channels <@ array['inbox', 'email', 'webhook']);
      create index profiles_email_prefix_idx on profiles (lower(email) text_pattern_ops);
      create index profiles_display_name_prefix_idx on profiles (lower(display_name) text_pattern_ops);
    `);
  }

  override down(): void {
    this.addSql(`
      drop index profiles_display_name_prefix_idx;
      drop index profiles_email_prefix_idx;
      alter table profiles drop column channels, drop column overdue_hour;
    `);
  }
}
