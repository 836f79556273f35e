import { Migration } from '#libs/db';

export class Profiles extends Migration {
  override up(): void {
    this.addSql(`
      create table profiles (
        id uuid not null,
        email text not null,
        role text not null,
        enabled boolean not null,
        account_version bigint not null,
        display_name text not null,
        time_zone text not null,
        locale text not null,
        version bigint not null,
        create_time timestamptz(3) not null,
        update_time timestamptz(3) not null,
        constraint profiles_pkey primary key (id),
        constraint profiles_role_check check (role in ('user', 'admin'))
      );
      create index profiles_create_time_id_idx on profiles (create_time, id);
    `);
  }

  override down(): void {
    this.addSql('drop table profiles;');
  }
}
