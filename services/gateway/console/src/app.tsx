import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Redirect, Route, Switch, useLocation, useSearch } from 'wouter';
import { TaskFlowError } from '#client/index';
import { session } from './api.ts';
import { AuthFrame } from './auth/frame.tsx';
import { ForgotPassword, ResetPassword, VerifyEmail } from './auth/recover.tsx';
import { Register } from './auth/register.tsx';
import { SignIn, useDestination } from './auth/sign-in.tsx';
import { useSessionState } from './session/use-session.ts';
import { Button } from './ui/button.tsx';
import { Loading, Notice } from './ui/notice.tsx';
import { Toasts } from './ui/toast.tsx';

/** Who signs in needs none of it yet. */
const Shell = lazy(async () => ({ default: (await import('./shell/shell.tsx')).Shell }));

/** Few come by the link of such a mail. */
const ProjectInvitation = lazy(async () => ({
  default: (await import('./auth/project-invitation.tsx')).ProjectInvitation,
}));

const projectInvitation = (signedIn: boolean) => (
  <Route path="/project-invitation">
    {() => (
      <Suspense fallback={<Waiting />}>
        <ProjectInvitation signedIn={signedIn} />
      </Suspense>
    )}
  </Route>
);

/** The client package repeats what makes sense, so nothing is repeated here. */
const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: false,
      staleTime: 15_000,
      refetchOnWindowFocus: true,
      throwOnError: (error) => !(error instanceof TaskFlowError),
    },
  },
});

function Waiting() {
  return (
    <AuthFrame title="One moment">
      <Loading rows={3} />
    </AuthFrame>
  );
}

function Unreachable() {
  return (
    <AuthFrame title="TaskFlow cannot be reached">
      <Notice kind="warn" icon="offline">
        You are still signed in. Look at your connection, or wait a moment.
      </Notice>
      <Button look="primary" wide onClick={() => void session.resume()}>
        Try again
      </Button>
    </AuthFrame>
  );
}

function SignedOut() {
  const [path] = useLocation();
  const search = useSearch();
  const to = encodeURIComponent(search === '' ? path : `${path}?${search}`);
  // What the last person saw is nothing for the next one.
  useEffect(() => queryClient.clear(), []);
  return (
    <Switch>
      <Route path="/sign-in" component={SignIn} />
      <Route path="/register">{() => <Register />}</Route>
      <Route path="/invitation">{() => <Register invited />}</Route>
      {projectInvitation(false)}
      <Route path="/forgot-password" component={ForgotPassword} />
      <Route path="/reset-password" component={ResetPassword} />
      <Route path="/verify-email" component={VerifyEmail} />
      <Route>{() => <Redirect to={path === '/' ? '/sign-in' : `/sign-in?to=${to}`} replace />}</Route>
    </Switch>
  );
}

function SignedIn() {
  const destination = useDestination();
  return (
    <Switch>
      <Route path="/sign-in">{() => <Redirect to={destination} replace />}</Route>
      <Route path="/register">{() => <Redirect to="/" replace />}</Route>
      {projectInvitation(true)}
      <Route path="/reset-password" component={ResetPassword} />
      <Route path="/verify-email" component={VerifyEmail} />
      <Route>{() => (
        <Suspense fallback={<Waiting />}>
          <Shell />
        </Suspense>
      )}</Route>
    </Switch>
  );
}

const views = { unknown: Waiting, unreachable: Unreachable, out: SignedOut, in: SignedIn };

export function App() {
  const View = views[useSessionState()];
  return (
    <QueryClientProvider client={queryClient}>
      <View />
      <Toasts />
    </QueryClientProvider>
  );
}
