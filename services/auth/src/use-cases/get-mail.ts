import type { GetMailResponse } from '#contract/auth/v1/auth';
import { mailNotFound } from '../domain/auth.errors.ts';

/** What a mail says. auth sends none yet. */
export async function getMail({ mailId }: { mailId: string }): Promise<GetMailResponse> {
  throw mailNotFound(mailId);
}
