import { Switch as Base } from "@base-ui/react/switch";
import { type ComponentProps, type ReactNode, useId } from "react";
import { Icon } from "./icon.tsx";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

export function TextField({ label, hint, error, ...input }: FieldProps & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        spellCheck={false}
        autoComplete="off"
        aria-invalid={error !== undefined}
        aria-describedby={hint || error ? `${id}-hint` : undefined}
        {...input}
      />
      {(error || hint) && (
        <p id={`${id}-hint`} className="field-hint">
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

export function SelectField({ label, hint, children, ...select }: FieldProps & ComponentProps<"select">) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="select" {...select}>
        {children}
      </select>
      {hint && <p className="field-hint">{hint}</p>}
    </div>
  );
}

/** Filters as one types; `/` goes there. */
export function SearchField({ label, ...input }: { label: string } & ComponentProps<"input">) {
  return (
    <div className="search">
      <Icon name="search" />
      <input
        className="input"
        type="search"
        aria-label={label}
        placeholder={label}
        spellCheck={false}
        data-hotkey="/"
        {...input}
      />
    </div>
  );
}

interface SwitchProps {
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange(checked: boolean): void;
}

export const Switch = ({ label, checked, disabled = false, onChange }: SwitchProps) => (
  <Base.Root className="switch" aria-label={label} checked={checked} disabled={disabled} onCheckedChange={onChange}>
    <Base.Thumb className="switch-thumb" />
  </Base.Root>
);
