import type { PageTokens, UnitOfWork } from '#libs/db';
import type { Clock } from '#libs/runtime';
import type { ProfileReader, ProfileRepository } from './domain/profile.repository.ts';

/** Everything that one transaction can touch. */
export interface Repositories {
  profiles: ProfileRepository;
}

export interface UsersDeps {
  uow: UnitOfWork<Repositories>;
  reader: ProfileReader;
  pageTokens: PageTokens;
  clock: Clock;
}
