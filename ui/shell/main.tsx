import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { startLocale } from "./i18n.ts";
import { startRouter } from "./router.ts";
import { startSession } from "./session.ts";
import { startTheme } from "./theme.ts";

startTheme();
startRouter();
// Asked beside the texts, not after them.
startSession();
void startLocale().then(() => {
  const root = document.getElementById("console");
  if (root !== null)
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    );
});
