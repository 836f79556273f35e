import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { useSubmit } from './use-submit.ts';

/** For a token that was copied from a mail. */
export function CodeForm({ verb, onCode }: { verb: string; onCode: (token: string) => void }) {
  const { onSubmit } = useSubmit(async (fields) => onCode(fields('token').trim()));
  return (
    <form className="stack" onSubmit={onSubmit}>
      <TextField label="Code from the mail" name="token" required autoFocus autoComplete="one-time-code" />
      <Button type="submit" look="primary" wide>
        {verb}
      </Button>
    </form>
  );
}
