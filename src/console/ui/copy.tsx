import { useState } from "react";
import { Button } from "./button.tsx";

/** A command to take away. */
export function Command({ text, label = "Copy the command" }: { text: string; label?: string }) {
  return (
    <div className="command">
      <pre>{text}</pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return <Button look="quiet" small icon={copied ? "check" : "copy"} label={copied ? "Copied" : label} onClick={copy} />;
}
