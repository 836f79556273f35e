import type { ReactNode } from 'react';
import { useSubmit } from '../auth/use-submit.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './notice.tsx';

interface FormDialogProps {
  title: string;
  verb: string;
  wide?: boolean;
  children: ReactNode;
  work: (fields: (name: string) => string) => Promise<unknown>;
  /** What is shown for an error in place of its words; nothing for most of them. */
  explain?: (error: unknown) => ReactNode;
  onClose: () => void;
}

/** A form in a dialog, which closes when its work has been done. */
export function FormDialog({ title, verb, wide, children, work, explain, onClose }: FormDialogProps) {
  const { busy, error, onSubmit } = useSubmit(async (fields) => {
    await work(fields);
    onClose();
  });
  return (
    <Dialog title={title} wide={wide ?? false} onClose={onClose}>
      <form className="stack" onSubmit={onSubmit}>
        {error !== undefined && (explain?.(error) || <ErrorNotice error={error} />)}
        {children}
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
