import type { ReactNode } from 'react';
import { describeError } from './describe-error.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

interface NoticeProps {
  kind: 'danger' | 'warn' | 'good';
  icon?: IconName;
  children: ReactNode;
}

export function Notice({ kind, icon, children }: NoticeProps) {
  return (
    <div className={`notice ${kind}`} role={kind === 'good' ? 'status' : 'alert'}>
      <Icon name={icon ?? (kind === 'good' ? 'check' : 'warning')} />
      <div className="grow">{children}</div>
    </div>
  );
}

interface ErrorNoticeProps {
  error: unknown;
  onRetry?: () => void;
}

/** What went wrong in words, with the reason and the id that operators can look for. */
export function ErrorNotice({ error, onRetry }: ErrorNoticeProps) {
  const { title, hint, reason, callId } = describeError(error);
  return (
    <Notice kind="danger">
      <strong>{title}</strong>
      {hint !== undefined && <div>{hint}</div>}
      {(reason ?? callId) !== undefined && (
        <span className="call-id">{[reason, callId && `call ${callId}`].filter(Boolean).join(' · ')}</span>
      )}
      {onRetry !== undefined && (
        <div className="row" style={{ marginTop: 10 }}>
          <Button compact onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
    </Notice>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children?: ReactNode;
}

/** A view that has nothing to show, and what to do about it. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className="empty">
      <Icon name={icon} size={36} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Rows whose content is on its way. */
export function Loading({ rows = 6, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div className="stack" role="status" aria-label={label} style={{ padding: '12px 0' }}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="skeleton" style={{ height: 20, width: `${92 - ((index * 17) % 40)}%` }} />
      ))}
    </div>
  );
}
