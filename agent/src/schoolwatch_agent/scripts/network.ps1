# Adapters, addresses, default routes, resolvers and neighbours, for five probes at once.
# "answering" are the next hops that answered an echo just now: a neighbour that is stale may be gone.
# No MAC address, no link name but the adapter's own, no host name.
function Get-Part([scriptblock]$Part) { try { @(& $Part) } catch { @() } }
[pscustomobject]@{
  adapters = Get-Part { Get-NetAdapter -IncludeHidden:$false | Select-Object Name, ifIndex, HardwareInterface, Virtual,
    NdisPhysicalMedium, MediaConnectState, ReceiveLinkSpeed, Speed, FullDuplex, MtuSize }
  statistics = Get-Part { Get-NetAdapterStatistics | Select-Object Name, ReceivedBytes, SentBytes,
    ReceivedPacketErrors, OutboundPacketErrors, ReceivedDiscardedPackets }
  addresses = Get-Part { Get-NetIPAddress | Select-Object InterfaceAlias, InterfaceIndex, IPAddress, PrefixLength,
    @{ n = 'PrefixOrigin'; e = { [int]$_.PrefixOrigin } }, @{ n = 'SuffixOrigin'; e = { [int]$_.SuffixOrigin } } }
  routes = Get-Part { Get-NetRoute -DestinationPrefix '0.0.0.0/0', '::/0' -ErrorAction SilentlyContinue |
    Select-Object InterfaceAlias, DestinationPrefix, NextHop, RouteMetric, InterfaceMetric }
  resolvers = Get-Part { Get-DnsClientServerAddress | Select-Object InterfaceAlias, InterfaceIndex, ServerAddresses }
  neighbours = Get-Part { Get-NetNeighbor -AddressFamily IPv6 | Where-Object IPAddress -NotLike 'ff*' |
    Select-Object InterfaceAlias, IPAddress, @{ n = 'State'; e = { [int]$_.State } } }
  answering = Get-Part { Get-NetRoute -DestinationPrefix '::/0' -ErrorAction SilentlyContinue |
    Where-Object NextHop -ne '::' | Select-Object -First 3 | Where-Object {
      $hop = if ($_.NextHop -like 'fe8*') { "$($_.NextHop)%$($_.InterfaceIndex)" } else { $_.NextHop }
      (New-Object System.Net.NetworkInformation.Ping).Send($hop, 1000).Status -eq 'Success' } |
    Select-Object InterfaceAlias, @{ n = 'IPAddress'; e = { $_.NextHop } }, @{ n = 'State'; e = { 5 } } }
} | ConvertTo-Json -Depth 4 -Compress
