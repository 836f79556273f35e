import { Button } from './button.tsx';
import { showToast } from './toast.tsx';
import { reportFailure } from '../tasks/report-failure.ts';

/** A secret that is shown this once. */
export function Secret({ label, value }: { label: string; value: string }) {
  const copy = (): void =>
    void navigator.clipboard.writeText(value).then(() => showToast(`The ${label} is copied`), reportFailure);
  return (
    <div className="secret" role="status">
      <code>{value}</code>
      <Button compact icon="copy" onClick={copy}>
        Copy
      </Button>
    </div>
  );
}
