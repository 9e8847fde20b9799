// The problem and echo wall, from the side of who releases a case for it.
import { ask, el, moment, notice, once, t } from "./desk.mjs";

export function showEcho(one, again) {
  if (!one.can_release) return null;
  const shown = one.echo ?? {};
  const texts = Object.fromEntries(["problem", "measure", "result"].map((name) => [
    name,
    el("textarea", { name, rows: "2", maxlength: "500", placeholder: t(`echo_${name}`), "aria-label": t(`echo_${name}`) }, shown[name] ?? ""),
  ]));
  const reason = el("input", { name: "reason", maxlength: "500", placeholder: t("echo_reason"), "aria-label": t("echo_reason") });
  const button = (what, told) => {
    const made = el("button", { "data-do": what }, t(`echo_${what}`));
    made.addEventListener("click", once(made, async () => {
      await ask(`/cases/one/${one.id}/echo`, { do: what, ...told() });
      notice(t("case_noted"), "note");
      await again();
    }));
    return made;
  };
  const said = () => Object.fromEntries(Object.entries(texts).map(([name, host]) => [name, host.value.trim()]));
  return el("section", { class: "steps echo" }, el("h3", {}, t("echo_on_case")),
    el("p", {}, one.echo ? t("echo_shown", { at: moment(one.echo.released_at), who: one.echo.released_by }) : t("echo_not_shown")),
    el("p", {}, t("echo_rule")), Object.values(texts), el("div", { class: "row" }, button("release", said)),
    one.echo && el("div", { class: "row" }, reason, button("withdraw", () => ({ reason: reason.value.trim() }))));
}
