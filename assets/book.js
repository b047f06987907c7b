// What the theme leaves out for screen readers: a control's name holds its visible text (WCAG 2.5.3), every text lies
// in a landmark, and lists of references carry no role that ARIA has given up.
document.addEventListener("DOMContentLoaded", () => {
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change);
  each(".search-button-field, details.hide > summary", (element) => element.removeAttribute("aria-label"));
  each(".theme-switch-button", (button) => button.setAttribute("aria-label", "Color mode: Light, Dark, System Settings"));
  each(".citation-list, .citation", (element) => element.removeAttribute("role"));
  each("table.table", (table) => table.setAttribute("tabindex", "0")); // wide tables scroll, by keyboard too
  each("#pst-primary-sidebar", (sidebar) => {
    sidebar.setAttribute("role", "complementary");
    sidebar.setAttribute("aria-label", "Book");
  });
});
