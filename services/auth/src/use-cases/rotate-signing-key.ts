import { AppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';

export interface RotateSigningKeyInput {
  requestId: string;
}

export async function rotateSigningKey(_deps: AuthDeps, _actor: UserActor, _input: RotateSigningKeyInput): Promise<{ kid: string; signTime: Date }> {
  throw new AppError('unimplemented', 'UNIMPLEMENTED', 'keys cannot be rotated yet');
}
