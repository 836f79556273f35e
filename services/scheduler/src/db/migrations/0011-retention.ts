import { Migration } from '#libs/db';

/** Closed dead letters are forgotten in the order in which they were closed. */
export class Retention extends Migration {
  override up(): void {
    this.addSql("create index dead_letters_settled on dead_letters (settle_time) where state <> 'open'");
  }

  override down(): void {
    this.addSql('drop index dead_letters_settled');
  }
}
