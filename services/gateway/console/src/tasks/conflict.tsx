import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import type { TaskConflict } from './actions.ts';
import { fieldNames, fieldWords, valueInWords } from './change-words.ts';
import type { Viewer } from './filters.ts';

interface ConflictDialogProps {
  conflict: TaskConflict;
  viewer: Viewer;
  onKeep: () => void;
  onTake: () => void;
}

/** Both versions side by side, where two people changed the same. */
export function ConflictDialog({ conflict: { current, change }, viewer, onKeep, onTake }: ConflictDialogProps) {
  const mine = { ...current, ...change };
  const shown = fieldNames.filter((name) => name in change);
  return (
    <Dialog title="Two people changed this at once" wide onClose={onTake}>
      <p className="soft">Nothing is lost. Which version shall stay?</p>
      {shown.map((name) => (
        <section key={name} className="versions" aria-label={fieldWords[name]}>
          <h3>{fieldWords[name]}</h3>
          <div className="version">
            <span className="field-label">Yours</span>
            <p>{valueInWords(mine, name, viewer) || 'None'}</p>
          </div>
          <div className="version">
            <span className="field-label">Theirs, saved</span>
            <p>{valueInWords(current, name, viewer) || 'None'}</p>
          </div>
        </section>
      ))}
      <div className="dialog-foot">
        <Button onClick={onTake}>Take theirs</Button>
        <Button look="primary" onClick={onKeep}>
          Keep mine
        </Button>
      </div>
    </Dialog>
  );
}
