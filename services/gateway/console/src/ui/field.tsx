import { useId, type ComponentProps, type ReactNode } from 'react';

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** What is wrong with it. */
  error?: string | undefined;
}

/** The ids that tie a control to its label, hint and error. */
function useFieldIds({ hint, error }: Pick<FieldProps, 'hint' | 'error'>) {
  const id = useId();
  const described = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`].filter(Boolean).join(' ');
  return {
    id,
    control: {
      id,
      className: 'input',
      'aria-invalid': error !== undefined,
      ...(described !== '' && { 'aria-describedby': described }),
    },
  };
}

function Frame({ id, label, hint, error, children }: FieldProps & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {error !== undefined && (
        <span className="field-error" id={`${id}-error`}>
          {error}
        </span>
      )}
      {hint !== undefined && (
        <span className="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, ...rest }: FieldProps & ComponentProps<'input'>) {
  const { id, control } = useFieldIds({ hint, error });
  return (
    <Frame {...{ id, label, hint, error }}>
      <input {...rest} {...control} />
    </Frame>
  );
}

export function TextArea({ label, hint, error, ...rest }: FieldProps & ComponentProps<'textarea'>) {
  const { id, control } = useFieldIds({ hint, error });
  return (
    <Frame {...{ id, label, hint, error }}>
      <textarea {...rest} {...control} />
    </Frame>
  );
}

export interface Choice<T extends string | number = string> {
  value: T;
  label: string;
}

interface SelectFieldProps<T extends string | number> extends FieldProps {
  choices: readonly Choice<T>[];
  value: T;
  onChoose: (value: T) => void;
  disabled?: boolean;
}

export function SelectField<T extends string | number>(props: SelectFieldProps<T>) {
  const { label, hint, error, choices, value, onChoose, disabled } = props;
  const { id, control } = useFieldIds({ hint, error });
  return (
    <Frame {...{ id, label, hint, error }}>
      <select
        {...control}
        disabled={disabled}
        value={value}
        onChange={({ target }) => {
          const chosen = choices.find((choice) => String(choice.value) === target.value);
          if (chosen !== undefined) onChoose(chosen.value);
        }}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

interface SegmentedProps<T extends string> {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onChoose: (value: T) => void;
}

/** A few ways of which one holds. */
export function Segmented<T extends string>({ label, choices, value, onChoose }: SegmentedProps<T>) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          onClick={() => onChoose(choice.value)}
        >
          {choice.label}
        </button>
      ))}
    </div>
  );
}
