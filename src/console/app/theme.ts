export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const rememberedAs = "larder.theme";

export function currentTheme(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(rememberedAs)) ?? "system";
  } catch {
    // A browser may forbid storage.
    return "system";
  }
}

export function applyTheme(theme = currentTheme()): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    localStorage.setItem(rememberedAs, theme);
  } catch {
    // Then it holds until the page is closed.
  }
}
