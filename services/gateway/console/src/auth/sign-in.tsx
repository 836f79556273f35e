import type { ReactNode } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { session } from '../api.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { ErrorNotice, Notice } from '../ui/notice.tsx';
import { AuthFrame } from './frame.tsx';
import { useSubmit } from './use-submit.ts';

/** Where somebody wanted to go before they had to sign in. Only paths of this console. */
export function useDestination(): string {
  const [search] = useSearchParams();
  const wanted = search.get('to') ?? '/';
  return /^\/(?![/\\])/.test(wanted) ? wanted : '/';
}

interface SigningInProps {
  title?: string;
  lead?: ReactNode;
  foot: ReactNode;
  /** Above the form. */
  children?: ReactNode;
  onDone?: () => void;
}

export function SigningIn({ title = 'Sign in', lead, foot, children, onDone }: SigningInProps) {
  const { busy, error, onSubmit } = useSubmit(async (fields) => {
    await session.login({ email: fields('email'), password: fields('password') });
    onDone?.();
  });
  return (
    <AuthFrame title={title} lead={lead} foot={foot}>
      {children}
      {error !== undefined && <ErrorNotice error={error} />}
      <form className="stack" onSubmit={onSubmit}>
        <TextField label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
        <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
        <Button type="submit" look="primary" wide busy={busy}>
          Sign in
        </Button>
      </form>
      <Link href="/forgot-password" className="small">
        Forgot your password?
      </Link>
    </AuthFrame>
  );
}

export function SignIn() {
  const [, navigate] = useLocation();
  const [search] = useSearchParams();
  const destination = useDestination();
  return (
    <SigningIn
      lead="Good to see you again."
      onDone={() => navigate(destination, { replace: true })}
      foot={
        <>
          New here? <Link href="/register">Create an account</Link>
        </>
      }
    >
      {search.get('done') === 'reset' && <Notice kind="good">Your password is set. Sign in with it.</Notice>}
      {search.get('done') === 'verified' && <Notice kind="good">Your e-mail is verified.</Notice>}
    </SigningIn>
  );
}
