import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { JoinState } from '#client/auth';
import { TaskFlowError } from '#client/index';
import { api, session } from '../api.ts';
import { useMeQuery } from '../session/use-session.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNotice, Loading } from '../ui/notice.tsx';
import { CodeForm } from './code-form.tsx';
import { AuthFrame } from './frame.tsx';
import { useLinkToken } from './link-token.ts';
import { Registration } from './register.tsx';
import { SigningIn } from './sign-in.tsx';

const title = 'Invitation to a project';
const askAgainMs = 2000;

/** Signing in and out shows the page anew; the token is in memory alone. */
let held = '';

function useInvitationToken(): ReturnType<typeof useLinkToken> {
  const [token, setToken] = useLinkToken(held);
  useEffect(() => {
    held = token;
  }, [token]);
  return [token, setToken];
}

/** Accepts, and asks again while the project is still to be joined: a repeat by the same account changes nothing. */
function useAcceptance(token: string) {
  return useQuery({
    queryKey: ['project-invitation', token],
    queryFn: () => api.auth.acceptProjectInvitation({ token }),
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchInterval: ({ state: { data, error } }) => {
      const isUnderWay = error === null && data?.state === JoinState.JOINING;
      const isAway = error instanceof TaskFlowError && error.code === 'UNAVAILABLE';
      return isUnderWay || isAway ? askAgainMs : false;
    },
  });
}

/** For whoever is signed in with an account that the invitation is not for. */
function OtherAccount() {
  const { data } = useMeQuery();
  const [busy, setBusy] = useState(false);
  const leave = (): void => {
    setBusy(true);
    session.logout().catch((error: unknown) => {
      setBusy(false);
      reportFailure(error);
    });
  };
  return (
    <>
      {data !== undefined && <p className="soft">You are signed in as {data.displayName}.</p>}
      <Button look="primary" wide busy={busy} onClick={leave}>
        Use another account
      </Button>
    </>
  );
}

const forOthers = new Set(['PROJECT_INVITATION_FOR_ANOTHER', 'PROJECT_INVITATION_USED']);

function Refusal({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const reason = error instanceof TaskFlowError ? (error.reason ?? '') : '';
  if (!reason.startsWith('PROJECT_INVITATION_')) return <ErrorNotice error={error} onRetry={onRetry} />;
  return (
    <>
      <ErrorNotice error={error} />
      {forOthers.has(reason) && <OtherAccount />}
    </>
  );
}

function Acceptance({ token }: { token: string }) {
  const [, navigate] = useLocation();
  const queryClient = useQueryClient();
  const { data, error, refetch } = useAcceptance(token);
  const joined = data?.state === JoinState.JOINED ? data.projectId : undefined;
  useEffect(() => {
    if (joined === undefined) return;
    held = '';
    void queryClient.invalidateQueries({ queryKey: ['projects'] });
    navigate(`/projects/${joined}`, { replace: true });
  }, [joined, navigate, queryClient]);
  if (error !== null) return <Refusal error={error} onRetry={() => void refetch()} />;
  return (
    <>
      {data?.state === JoinState.JOINING && (
        <p className="soft" role="status">
          You have accepted. Joining takes longer than usual; the project opens here as soon as you are a member.
        </p>
      )}
      <Loading rows={2} label="Joining the project" />
    </>
  );
}

type Way = 'ask' | 'sign-in' | 'register';

const leads: Readonly<Record<Way, string>> = {
  ask: 'The mail says which project it is, and who invites you. With an account you can join.',
  'sign-in': 'Sign in with the account of the e-mail that the invitation was sent to.',
  register: 'Choose a password, and you join the project.',
};

/** Once somebody is signed in, the page is shown anew, and accepts. */
function SignedOut({ token }: { token: string }) {
  const [way, setWay] = useState<Way>('ask');
  const lead = leads[way];
  const link = (text: string, to: Way): ReactNode => (
    <button type="button" className="link" onClick={() => setWay(to)}>
      {text}
    </button>
  );
  if (way === 'sign-in')
    return <SigningIn title={title} lead={lead} foot={<>New here? {link('Create an account', 'register')}</>} />;
  if (way === 'register')
    return (
      <Registration
        title={title}
        lead={lead}
        invitationToken={token}
        onDone={() => undefined}
        foot={<>You have an account? {link('Sign in', 'sign-in')}</>}
      />
    );
  return (
    <AuthFrame title={title} lead={lead}>
      <div className="stack">
        <Button look="primary" wide onClick={() => setWay('register')}>
          Create an account
        </Button>
        <Button wide onClick={() => setWay('sign-in')}>
          I have an account
        </Button>
      </div>
    </AuthFrame>
  );
}

const toTasks = <Link href="/tasks">To your tasks</Link>;

/** Where the link of an invitation to a project leads. */
export function ProjectInvitation({ signedIn }: { signedIn: boolean }) {
  const [token, setToken] = useInvitationToken();
  if (token !== '' && !signedIn) return <SignedOut token={token} />;
  return (
    <AuthFrame title={title} foot={signedIn ? toTasks : undefined}>
      {token === '' ? (
        <CodeForm verb="Go on" onCode={setToken} />
      ) : (
        <Acceptance key={token} token={token} />
      )}
    </AuthFrame>
  );
}
