import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { api } from '../api.ts';
import { Button } from '../ui/button.tsx';
import { findFieldError } from '../ui/describe-error.ts';
import { TextField } from '../ui/field.tsx';
import { ErrorNotice, Loading, Notice } from '../ui/notice.tsx';
import { CodeForm } from './code-form.tsx';
import { AuthFrame } from './frame.tsx';
import { useLinkToken } from './link-token.ts';
import { useSubmit } from './use-submit.ts';

const back = <Link href="/sign-in">Back to sign in</Link>;

export function ForgotPassword() {
  const [mailedTo, setMailedTo] = useState<string>();
  const { busy, error, onSubmit } = useSubmit(async (fields) => {
    await api.auth.requestPasswordReset({ email: fields('email') });
    setMailedTo(fields('email'));
  });
  return (
    <AuthFrame title="Forgotten password" lead="We send you a link with which you choose a new one." foot={back}>
      {error !== undefined && <ErrorNotice error={error} />}
      {mailedTo !== undefined ? (
        <Notice kind="good" icon="mail">
          If there is an account for <strong>{mailedTo}</strong>, a mail is on its way.
        </Notice>
      ) : (
        <form className="stack" onSubmit={onSubmit}>
          <TextField label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
          <Button type="submit" look="primary" wide busy={busy}>
            Send the link
          </Button>
        </form>
      )}
    </AuthFrame>
  );
}

/** Mails may carry the token as a text to copy, so it can be typed as well. */
export function ResetPassword() {
  const [, navigate] = useLocation();
  const [token] = useLinkToken();
  const { busy, error, onSubmit } = useSubmit(async (fields) => {
    await api.auth.resetPassword({ token: token || fields('token').trim(), newPassword: fields('password') });
    navigate('/sign-in?done=reset', { replace: true });
  });
  const passwordError = findFieldError(error, 'new_password');
  return (
    <AuthFrame title="Choose a new password" foot={back}>
      {error !== undefined && passwordError === undefined && <ErrorNotice error={error} />}
      <form className="stack" onSubmit={onSubmit}>
        {token === '' && (
          <TextField label="Code from the mail" name="token" required autoFocus autoComplete="one-time-code" />
        )}
        <TextField
          label="New password"
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          hint="At least 8 characters."
          error={passwordError}
        />
        <Button type="submit" look="primary" wide busy={busy}>
          Set password
        </Button>
      </form>
    </AuthFrame>
  );
}

function VerifyLink({ token }: { token: string }) {
  const [, navigate] = useLocation();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    api.auth.verifyEmail({ token }).then(() => navigate('/sign-in?done=verified', { replace: true }), setError);
  }, [token, navigate]);
  return error === undefined ? <Loading rows={2} label="Verifying" /> : <ErrorNotice error={error} />;
}

export function VerifyEmail() {
  const [token, setToken] = useLinkToken();
  return (
    <AuthFrame title="Verify your e-mail" foot={back}>
      {token === '' ? <CodeForm verb="Verify" onCode={setToken} /> : <VerifyLink key={token} token={token} />}
    </AuthFrame>
  );
}
