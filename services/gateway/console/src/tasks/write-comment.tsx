import { useRef, useState } from 'react';
import type { Person } from '../live/use-people.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNotice } from '../ui/notice.tsx';

interface WriteProps {
  label: string;
  verb: string;
  initial?: string;
  /** Who can be mentioned. */
  people: readonly Person[];
  /** What is typed is kept where it fails. */
  onSave: (text: string) => Promise<unknown>;
  onCancel?: () => void;
}

/** An @ at the end, with the beginning of a name. */
const openMention = /(?<=^|\s)@([^\s@]*)$/;

interface MentionsProps {
  text: string;
  people: readonly Person[];
  onChoose: (name: string) => void;
}

/** Whom the @ that is being typed may mean. */
function Mentions({ text, people, onChoose }: MentionsProps) {
  const begun = openMention.exec(text)?.[1]?.toLocaleLowerCase();
  if (begun === undefined) return null;
  const fitting = people.filter(({ name }) =>
    name.toLocaleLowerCase().split(/\s+/).some((part) => part.startsWith(begun)),
  );
  return (
    <div className="row" role="group" aria-label="Mention">
      {fitting.slice(0, 6).map(({ id, name }) => (
        <button key={id} type="button" className="chip" onClick={() => onChoose(name)}>
          @{name}
        </button>
      ))}
    </div>
  );
}

/** A comment as it is written. Control and Enter send it. */
export function WriteComment({ label, verb, initial = '', people, onSave, onCancel }: WriteProps) {
  const [text, setText] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const area = useRef<HTMLTextAreaElement>(null);
  const mention = (name: string): void => {
    setText(text.replace(openMention, `@${name} `));
    area.current?.focus();
  };
  const save = (): void => {
    if (busy || text.trim() === '') return;
    setBusy(true);
    setError(undefined);
    onSave(text)
      .then(() => setText(''), setError)
      .finally(() => setBusy(false));
  };
  return (
    <div className="comment-write">
      <textarea
        ref={area}
        className="input"
        aria-label={label}
        placeholder={`${label}; @ tells somebody of it`}
        rows={2}
        maxLength={10_000}
        value={text}
        autoFocus={onCancel !== undefined}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
          else if (event.key === 'Escape' && onCancel !== undefined) onCancel();
          else return;
          event.preventDefault();
        }}
      />
      <Mentions text={text} people={people} onChoose={mention} />
      {error !== undefined && <ErrorNotice error={error} />}
      {(text !== '' || onCancel !== undefined) && (
        <span className="row">
          <Button look="primary" compact busy={busy} disabled={text.trim() === ''} onClick={save}>
            {verb}
          </Button>
          {onCancel !== undefined && (
            <Button compact onClick={onCancel}>
              Cancel
            </Button>
          )}
        </span>
      )}
    </div>
  );
}
