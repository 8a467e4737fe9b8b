import "./workers.js";
// The stylesheets one by one: the package's single file carries its fonts as well, half a megabyte.
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./playground.css";

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

import { fetcherWithSession } from "./session.js";

const endpoint = new URL("/graphql", location.href);
const socket = new URL(endpoint);
socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";

// For subscriptions the fetcher puts the headers into the `connection_init` payload, which is where
// the server reads `Authorization` from.
const fetcher = fetcherWithSession(
  createGraphiQLFetcher({
    url: endpoint.href,
    subscriptionUrl: socket.href,
    enableIncrementalDelivery: false,
  }),
);

// Version 4. `crypto.randomUUID` is only there over HTTPS and on this machine itself.
const newUuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
};

const answer = await fetch("/playground/tabs.json");
const tabs = (await answer.json()).map(({ query, variables }) => ({
  query,
  variables: variables?.replaceAll("<a new UUID>", newUuid),
}));

createRoot(document.getElementById("playground")).render(
  createElement(GraphiQL, {
    fetcher,
    defaultTabs: tabs,
    defaultEditorToolsVisibility: "variables",
    shouldPersistHeaders: false,
    inputValueDeprecation: true,
    schemaDescription: true,
  }),
);
