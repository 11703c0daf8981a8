"use strict";

// A tile on Airflow's home page, with the React that Airflow offers to plugins.
(() => {
  const { React, ChakraUI, ReactRouterDOM } = globalThis;
  const h = React.createElement;
  const Box = ChakraUI?.Box ?? "div";

  function words({ datasets, missing, unreadable }) {
    const problems = [];
    if (missing) problems.push(`${missing.toLocaleString("en")} ${missing === 1 ? "slice is" : "slices are"} missing`);
    if (unreadable) problems.push(`${unreadable} ${unreadable === 1 ? "destination" : "destinations"} cannot be read`);
    return problems.join(", ") || `${datasets} ${datasets === 1 ? "dataset" : "datasets"}, no slice is missing`;
  }

  globalThis["Zendesk coverage tile"] = function ZendeskCoverageTile() {
    const [summary, setSummary] = React.useState(null);
    React.useEffect(() => {
      // Without a right to the page, or without a dataset, there is no tile.
      fetch(new URL("zendesk-coverage/summary.json", document.baseURI))
        .then((response) => (response.ok ? response.json() : null))
        .then(setSummary, () => setSummary(null));
    }, []);
    if (!summary?.datasets && !summary?.unreadable) return null;
    const style = { textDecoration: "underline" };
    const link = h(ReactRouterDOM.Link, { to: "/plugin/zendesk-coverage", style }, "Zendesk coverage");
    return h(Box, { borderWidth: 1, borderRadius: "md", px: 4, py: 2, mb: 4 }, link, ": ", words(summary));
  };
})();
