# Invigilator with its browser:
#
#   docker build -t invigilator .
#   docker run --rm --name invigilator --network tests -v "$PWD:/work" invigilator tool --yes
#
# The subject's server has to reach the key set: set fake_platform.listen to invigilator:8765.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/ ./cmd/invigilator

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends bash ca-certificates chromium-headless-shell fonts-liberation \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home invigilator \
 && install -d -o invigilator /work
COPY --from=build /out/invigilator /usr/local/bin/
COPY scripts/judge /usr/local/bin/
USER invigilator
WORKDIR /work
EXPOSE 8765 8766
ENTRYPOINT ["invigilator"]
CMD ["--help"]
