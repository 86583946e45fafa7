# Build: docker build -t bookwarden .   Run: see docker-compose.yml
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# The dependencies alone first: they change seldom and take the longest.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY script/rustc script/rustc
COPY profile profile
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
    && cargo build --release --locked \
    && rm -r src
COPY src src
COPY sql sql
COPY migrations migrations
COPY tests/samples tests/samples
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --bin bookwarden

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home bookwarden
COPY --from=build /src/target/release/bookwarden /usr/local/bin/bookwarden
USER bookwarden
ENV BOOKWARDEN_LISTEN=0.0.0.0:8080 BOOKWARDEN_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=10s CMD ["bookwarden", "health"]
# Run `migrate` once before `serve`, as docker-compose.yml does.
ENTRYPOINT ["bookwarden"]
CMD ["serve"]
