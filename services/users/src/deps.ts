import type { PageTokens, UnitOfWork } from '#libs/db';
import type { Clock } from '#libs/runtime';
import type { ProfileDefaults } from './domain/profile.columns.ts';
import type { ProfileReader, ProfileRepository } from './domain/profile.repository.ts';
import type { SharingPort } from './domain/sharing.port.ts';

/** Everything that one transaction can touch. */
export interface Repositories {
  profiles: ProfileRepository;
  /** Requests that were recorded under their idempotency keys. */
  requests: { prune(limit: number): Promise<number> };
}

export interface UsersDeps {
  uow: UnitOfWork<Repositories>;
  reader: ProfileReader;
  pageTokens: PageTokens;
  clock: Clock;
  newId: () => string;
  sharing: SharingPort;
  defaults: ProfileDefaults;
  /** Whether the scheduler sends mails. */
  mailsOn: boolean;
}
