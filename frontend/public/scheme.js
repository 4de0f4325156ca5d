// Sets the colour scheme and the language before the first paint; a file of its own because the page allows no inline script.
(function () {
  var scheme = "auto";
  var language = "";
  try {
    scheme = localStorage.getItem("mantine-color-scheme-value") || "auto";
    language = localStorage.getItem("etp-language") || "";
  } catch {
    // Storage may be blocked; the system's scheme then applies.
  }
  if (scheme !== "light" && scheme !== "dark") {
    scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
  if (language) document.documentElement.lang = language;
})();
