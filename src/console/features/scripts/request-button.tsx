import { useState } from "react";
import { Button } from "../../ui/button.tsx";

/** Words to send to whoever may allow it. */
export function RequestButton({ name }: { name: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(`Please allow ${name}: larder add ${name}`);
    setCopied(true);
  };
  return (
    <div className="row">
      <Button small icon={copied ? "check" : "copy"} onClick={copy}>
        {copied ? "Copied" : "Copy a request"}
      </Button>
    </div>
  );
}
