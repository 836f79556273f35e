import type { ReactNode } from 'react';

interface AuthFrameProps {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  foot?: ReactNode;
}

/** What everybody sees who is not signed in. */
export function AuthFrame({ title, lead, children, foot }: AuthFrameProps) {
  return (
    <main className="auth">
      <div className="auth-card">
        <div className="brand">
          <img src="/icon.svg" alt="" width="34" height="34" />
          TaskFlow
        </div>
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p className="soft">{lead}</p>}
        </div>
        {children}
        {foot !== undefined && <div className="auth-foot">{foot}</div>}
      </div>
    </main>
  );
}
