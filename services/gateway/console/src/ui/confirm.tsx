import { useState, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './notice.tsx';

interface ConfirmProps {
  title: string;
  /** What the button says, as a verb. */
  verb: string;
  /** What the button says that does nothing. */
  dismiss?: string;
  danger?: boolean;
  children?: ReactNode;
  work: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before what cannot be undone by a click, and shows where it failed. */
export function Confirm({ title, verb, dismiss = 'Cancel', danger, children, work, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const carryOut = (): void => {
    setBusy(true);
    setError(undefined);
    work().then(onClose, (failure: unknown) => {
      setBusy(false);
      setError(failure);
    });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error !== undefined && <ErrorNotice error={error} />}
      <div className="dialog-foot">
        <Button onClick={onClose}>{dismiss}</Button>
        <Button look={danger === true ? 'danger' : 'primary'} busy={busy} onClick={carryOut}>
          {verb}
        </Button>
      </div>
    </Dialog>
  );
}
