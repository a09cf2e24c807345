import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps extends ComponentProps<"button"> {
  look?: "primary" | "danger" | "quiet";
  icon?: IconName;
  small?: boolean;
  /** Shows only the icon; this is its name. */
  label?: string;
  /** Its work is under way: it waits, and says so. */
  busy?: boolean;
}

export function Button({ look, icon, small, label, busy, children, className, disabled, ...rest }: ButtonProps) {
  const classes = ["button", look, small && "small", label && "square", className].filter(Boolean).join(" ");
  return (
    <button
      type="button"
      className={classes}
      aria-label={label}
      title={label}
      aria-busy={busy}
      disabled={disabled || busy}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
