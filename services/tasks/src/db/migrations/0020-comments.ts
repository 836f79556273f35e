import { Migration } from '#libs/db';

export class Comments extends Migration {
  override up(): void {
    this.addSql(`
      create table comments (
        id uuid not null,
        task_id uuid not null,
        number integer not null,
        author_id uuid not null,
        text text not null,
        mention_ids text[] not null,
        version bigint not null,
        create_time timestamptz(3) not null,
        edit_time timestamptz(3) null,
        delete_time timestamptz(3) null,
        constraint comments_pkey primary key (id),
        constraint comments_of_task unique (task_id, number)
      )`);
    this.addSql('create index comments_of_author on comments (author_id, id) where delete_time is null');
  }

  override down(): void {
    this.addSql('drop table comments');
  }
}
