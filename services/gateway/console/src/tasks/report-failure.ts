import { describeError } from '../ui/describe-error.ts';
import { showToast } from '../ui/toast.tsx';
import { TaskConflict } from './actions.ts';

/** For changes that were made in passing, with no place of their own for an error. */
export function reportFailure(error: unknown): void {
  if (error instanceof TaskConflict) showToast('Somebody else changed this meanwhile. Look at it, then try again.');
  else showToast(describeError(error).title);
}
