/**
 * The `data` of each server-sent event in a stream of bytes, as the HTML standard frames them: lines end in CR, LF or CRLF, data lines join with LF, an
 * empty line ends an event, comments and other fields are skipped. Throws when one event exceeds `limitBytes`.
 */
export function createEventParser(limitBytes: number): (chunk: Uint8Array) => string[] {
  const decoder = new TextDecoder();
  let buffered = "";
  let data: string[] = [];
  let size = 0;
  let endedInCr = false;
  return (chunk) => {
    let text = decoder.decode(chunk, { stream: true });
    if (endedInCr && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") endedInCr = text.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = buffered + lines[0];
    buffered = lines.pop() ?? "";
    const events: string[] = [];
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) events.push(data.join("\n"));
        data = [];
        size = 0;
      } else if (line === "data" || line.startsWith("data:")) {
        const value = line.slice(5).replace(/^ /, "");
        size += value.length;
        data.push(value);
      }
    }
    if (size + buffered.length > limitBytes) throw new Error(`an event is larger than ${limitBytes} bytes`);
    return events;
  };
}
