# syntax=docker/dockerfile:1

FROM rust:1.95.0-bookworm AS build
WORKDIR /build
COPY . .
# What is compiled stays between builds; the binary is taken out, since the cache is not part of the
# image.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    cargo build --locked --release --package firstcome \
    && strip --output=/firstcome target/release/firstcome

FROM debian:bookworm-20260824-slim
# For mail servers and endpoints that speak TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
# The keys lie in this folder: whoever runs the shop, and nobody else, reads them.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/firstcome --shell /usr/sbin/nologin firstcome \
    && install --directory --owner=firstcome --group=firstcome --mode=0700 /var/lib/firstcome
COPY --from=build /firstcome /usr/local/bin/firstcome
COPY --chmod=0755 deploy/healthy /usr/local/bin/healthy

USER firstcome
WORKDIR /var/lib/firstcome
ENV FIRSTCOME_DATA_DIR=/var/lib/firstcome \
    FIRSTCOME_LISTEN=0.0.0.0:8000 \
    FIRSTCOME_LOG__FORMAT=json
VOLUME /var/lib/firstcome
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 CMD ["healthy"]
ENTRYPOINT ["firstcome"]
