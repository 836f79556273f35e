import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { session } from '../api.ts';
import { takeTimeZone } from '../session/use-session.ts';
import { Button } from '../ui/button.tsx';
import { findFieldError } from '../ui/describe-error.ts';
import { TextField } from '../ui/field.tsx';
import { ErrorNotice, Notice } from '../ui/notice.tsx';
import { AuthFrame } from './frame.tsx';
import { useLinkToken } from './link-token.ts';
import { useSubmit } from './use-submit.ts';

/** Everything that a violation is shown for beside its field. */
const shownBeside = ['email', 'password', 'display_name'];

interface RegisterFormProps {
  /** Of an invitation by mail; '' without one. */
  invitationToken: string;
  onDone: () => void;
  /** The e-mail must be verified first. */
  onMail: (email: string) => void;
}

function RegisterForm({ invitationToken, onDone, onMail }: RegisterFormProps) {
  const queryClient = useQueryClient();
  const { busy, error, onSubmit } = useSubmit(async (fields) => {
    const email = fields('email');
    const account = { email, password: fields('password'), displayName: fields('name'), invitationToken };
    if (!(await session.register(account))) return onMail(email);
    onDone();
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
          hint={invitationToken === '' ? undefined : 'The one that the invitation was sent to.'}
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

interface RegistrationProps extends Pick<RegisterFormProps, 'invitationToken' | 'onDone'> {
  title: string;
  lead: string;
  foot: ReactNode;
  /** Above the form. */
  children?: ReactNode;
}

export function Registration({ title, lead, foot, children, ...rest }: RegistrationProps) {
  const [mailedTo, setMailedTo] = useState<string>();
  if (mailedTo !== undefined)
    return (
      <AuthFrame title="Look into your mail" foot={foot}>
        <Notice kind="good" icon="mail">
          We have sent a link to <strong>{mailedTo}</strong>. Open it, then sign in.
        </Notice>
      </AuthFrame>
    );
  return (
    <AuthFrame title={title} lead={lead} foot={foot}>
      {children}
      <RegisterForm {...rest} onMail={setMailedTo} />
    </AuthFrame>
  );
}

export function Register({ invited = false }: { invited?: boolean }) {
  const [, navigate] = useLocation();
  const [token] = useLinkToken();
  return (
    <Registration
      title={invited ? 'Accept the invitation' : 'Create an account'}
      lead={invited ? 'Choose a password, and you are in.' : 'It takes less than a minute.'}
      invitationToken={invited ? token : ''}
      onDone={() => navigate('/', { replace: true })}
      foot={
        <>
          You have an account? <Link href="/sign-in">Sign in</Link>
        </>
      }
    >
      {invited && token === '' && <Notice kind="warn">The link is incomplete. Copy all of it from the mail.</Notice>}
    </Registration>
  );
}
