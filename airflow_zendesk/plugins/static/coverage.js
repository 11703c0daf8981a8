"use strict";

// The page is shown in a frame of Airflow's UI, which has the same origin: its theme and its colours are readable.
const outer = window.parent.document.documentElement;
const own = document.documentElement;

function followTheme() {
  const chosen = outer.classList.contains("dark") ? true : outer.classList.contains("light") ? false : null;
  own.classList.toggle("dark", chosen ?? matchMedia("(prefers-color-scheme: dark)").matches);
  if (outer === own) return;
  const style = getComputedStyle(outer);
  const names = { "--bg": "bg", "--fg": "fg", "--muted": "fg-muted", "--line": "border", "--soft": "bg-subtle" };
  for (const [name, token] of Object.entries(names)) {
    const value = style.getPropertyValue(`--chakra-colors-${token}`);
    if (value) own.style.setProperty(name, value);
  }
  const font = style.getPropertyValue("--chakra-fonts-body");
  if (font) own.style.setProperty("--font", font);
}

followTheme();
if (outer !== own) new MutationObserver(followTheme).observe(outer, { attributes: true, attributeFilter: ["class"] });

// In a narrow window a chart scrolls, and its newest days are at the right.
for (const chart of document.querySelectorAll(".scroll:has(svg)")) chart.scrollLeft = chart.scrollWidth;

// Airflow's API, also below a prefix: this page is <prefix>/zendesk-coverage/<page>.
const api = (path) => new URL(`../api/v2/${path}`, location.href);

async function request(path, options = {}) {
  const response = await fetch(api(path), { headers: { "Content-Type": "application/json" }, ...options });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const reason = typeof body.detail === "string" ? body.detail : `status ${response.status}`;
  throw new Error(reason);
}

async function repair(button, state) {
  button.disabled = true;
  const { dag, resource, start, end } = button.dataset;
  const runs = `dags/${encodeURIComponent(dag)}/dagRuns`;
  let run;
  try {
    const conf = { resource, start, end };
    run = await request(runs, { method: "POST", body: JSON.stringify({ logical_date: null, conf }) });
  } catch (error) {
    state.textContent = `The run was not started: ${error.message}`;
    button.disabled = false;
    return;
  }
  while (!["success", "failed"].includes(run.state)) {
    state.textContent = `The run ${run.dag_run_id} is ${run.state}.`;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    // If one request fails, the next one returns the state.
    run = await request(`${runs}/${encodeURIComponent(run.dag_run_id)}`).catch(() => run);
  }
  if (run.state === "success") {
    const fresh = new URL(location.href);
    fresh.searchParams.set("fresh", "true");
    location.replace(fresh);
  }
  state.textContent = `The run ${run.dag_run_id} has ended: ${run.state}. Its log is in the DAG ${dag}.`;
  button.disabled = false;
}

for (const button of document.querySelectorAll("[data-test=repair]")) {
  button.addEventListener("click", () => repair(button, document.querySelector("[data-test=run-state]")));
}

// The first export after the object was written that reports the slice: the event of its asset names the run.
async function findRun(cell) {
  const { dataset, start, end, written } = cell.dataset;
  const query = new URLSearchParams({ name_pattern: "zendesk", timestamp_gte: written, order_by: "timestamp", limit: 100 });
  const { asset_events: events = [] } = await request(`assets/events?${query}`).catch(() => ({}));
  const covers = ({ extra }) => extra.destination === dataset && extra.start <= start && extra.end >= end;
  const published = ({ extra }) => extra.slices?.find((slice) => slice.start === start)?.outcome === "published";
  const exports = events.filter(covers);
  const event = exports.find(published) ?? exports[0];
  if (!event?.source_run_id) return;
  const link = document.createElement("a");
  link.textContent = event.source_run_id;
  link.href = new URL(`../dags/${encodeURIComponent(event.source_dag_id)}/runs/${encodeURIComponent(event.source_run_id)}`, location.href);
  link.target = "_parent";
  cell.append(` by ${event.source_dag_id}, `, link);
}

for (const cell of document.querySelectorAll("[data-test=written-by]")) findRun(cell);
