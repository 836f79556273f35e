import { Migration } from '#libs/db';

// Only adds. What the release before writes has neither: its successor is the next generation, and none is discarded.
export class LostAnswers extends Migration {
  override up(): void {
    this.addSql(
      'alter table refresh_tokens add column successor_generation int, add column discarded boolean not null default false;',
    );
  }

  override down(): void {
    this.addSql('alter table refresh_tokens drop column discarded, drop column successor_generation;');
  }
}
