import { useEffect, useState } from "react";

const example = `export default { hello: "from Larder" };
`;

/** The text in the editor, kept in this browser for each environment. */
export function useScript(environment: string): [string, (text: string) => void] {
  const key = `larder.script.${environment}`;
  const [text, setText] = useState(() => {
    try {
      return localStorage.getItem(key) ?? example;
    } catch {
      // A browser may forbid storage.
      return example;
    }
  });
  useEffect(() => {
    const timer = setTimeout(() => {
      try {
        localStorage.setItem(key, text);
      } catch {
        // Then it is gone with the page.
      }
    }, 400);
    return () => clearTimeout(timer);
  }, [key, text]);
  return [text, setText];
}
