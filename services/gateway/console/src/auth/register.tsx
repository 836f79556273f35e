import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { session } from '../api.ts';
import { takeTimeZone } from '../session/use-session.ts';
import { Button } from '../ui/button.tsx';
import { findFieldError } from '../ui/describe-error.ts';
import { TextField } from '../ui/field.tsx';
import { ErrorNotice, Notice } from '../ui/notice.tsx';
import { AuthFrame } from './frame.tsx';
import { takeLinkToken } from './link-token.ts';
import { useSubmit } from './use-submit.ts';

/** Everything that a violation is shown for beside its field. */
const shownBeside = ['email', 'password', 'display_name'];

function RegisterForm({ invitationToken, onMail }: { invitationToken: string; onMail: (email: string) => void }) {
  const [, navigate] = useLocation();
  const queryClient = useQueryClient();
  const { busy, error, onSubmit } = useSubmit(async (fields) => {
    const email = fields('email');
    const account = { email, password: fields('password'), displayName: fields('name'), invitationToken };
    if (!(await session.register(account))) return onMail(email);
    navigate('/', { replace: true });
    takeTimeZone(queryClient).catch(() => undefined);
  });
  const isShown = shownBeside.some((field) => findFieldError(error, field) !== undefined);
  return (
    <>
      {error !== undefined && !isShown && <ErrorNotice error={error} />}
      <form className="stack" onSubmit={onSubmit}>
        <TextField
          label="Your name"
          name="name"
          autoComplete="name"
          required
          maxLength={100}
          autoFocus
          error={findFieldError(error, 'display_name')}
        />
        <TextField
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          error={findFieldError(error, 'email')}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          hint="At least 8 characters. A few words that belong to nobody else are best."
          error={findFieldError(error, 'password')}
        />
        <Button type="submit" look="primary" wide busy={busy}>
          Create account
        </Button>
      </form>
    </>
  );
}

export function Register({ invited = false }: { invited?: boolean }) {
  const [token] = useState(() => (invited ? takeLinkToken() : ''));
  const [mailedTo, setMailedTo] = useState<string>();
  const foot = (
    <>
      You have an account? <Link href="/sign-in">Sign in</Link>
    </>
  );
  if (mailedTo !== undefined)
    return (
      <AuthFrame title="Look into your mail" foot={foot}>
        <Notice kind="good" icon="mail">
          We have sent a link to <strong>{mailedTo}</strong>. Open it, then sign in.
        </Notice>
      </AuthFrame>
    );
  return (
    <AuthFrame
      title={invited ? 'Accept the invitation' : 'Create an account'}
      lead={invited ? 'Choose a password, and you are in.' : 'It takes less than a minute.'}
      foot={foot}
    >
      {invited && token === '' && <Notice kind="warn">The link is incomplete. Copy all of it from the mail.</Notice>}
      <RegisterForm invitationToken={token} onMail={setMailedTo} />
    </AuthFrame>
  );
}
